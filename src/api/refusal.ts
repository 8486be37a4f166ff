import { HttpException } from '@nestjs/common';

/**
 * A refusal in our own words: one clear sentence for the caller. Only these texts leave the process. {@link
 * ErrorFilter} replaces the error texts of libraries.
 */
export class Refusal extends HttpException {
  constructor(statusCode: number, sentence: string) {
    super(sentence, statusCode);
  }
}
