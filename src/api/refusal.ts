import { HttpException } from '@nestjs/common';

/**
 * A refusal in our own words: one clear sentence for the caller. Only these texts leave the process; what a library
 * says of a request is replaced by {@link ErrorFilter}.
 */
export class Refusal extends HttpException {
  constructor(statusCode: number, sentence: string) {
    super(sentence, statusCode);
  }
}
