import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { RetryError } from '../domain/errors.js';
import { StateConflict } from '../safety/index.js';
import { Refusal } from './refusal.js';

/** The shape of every answer that is not a success, except for the health routes. */
export interface ErrorAnswer {
  readonly statusCode: number;
  /** The status in words, as HTTP names it. */
  readonly error: string;
  /** One sentence. */
  readonly message: string;
}

/** For refusals by the framework and the body parser. Their own texts may quote the request. */
const SENTENCES: Readonly<Record<number, string>> = {
  400: 'the request cannot be read: a well-formed address and a JSON object in UTF-8 were expected',
  404: 'there is nothing at this address',
  413: 'the body is larger than 16 kB',
  415: 'the encoding of the body is not supported: plain UTF-8 was expected',
};

/**
 * The one place where an error becomes an answer. An unexpected error becomes a 500 with an id and nothing
 * else. The error itself and its stack are logged under that id.
 */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  readonly #log = new Logger(ErrorFilter.name);

  catch(exception: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    const answer = this.#answerTo(exception, host.switchToHttp().getRequest<Request>());
    if (response.headersSent) response.end();
    else response.status(answer.statusCode).json(answer);
  }

  #answerTo(exception: unknown, request: Request): ErrorAnswer {
    if (exception instanceof Refusal) return answerOf(exception.getStatus(), exception.message);
    if (exception instanceof StateConflict) return answerOf(409, exception.message);
    const statusCode = refusedWith(exception);
    if (statusCode !== undefined)
      return answerOf(statusCode, SENTENCES[statusCode] ?? 'the request was refused');

    const id = randomUUID();
    const where = `${request.method} ${request.path}`;
    if (exception instanceof RetryError) {
      this.#log.warn(`${id}: ${where} was not served: ${exception.message}`);
      return answerOf(503, `this cannot be done at the moment, try again shortly (logged as ${id})`);
    }
    const stack = exception instanceof Error ? exception.stack : undefined;
    this.#log.error(`${id}: ${where} failed: ${String(exception)}`, stack);
    return answerOf(500, `internal error (logged as ${id})`);
  }
}

function answerOf(statusCode: number, message: string): ErrorAnswer {
  return { statusCode, error: STATUS_CODES[statusCode] ?? 'Error', message };
}

/**
 * The status with which the framework or the body parser refused the request. undefined for an error of our
 * own.
 */
function refusedWith(exception: unknown): number | undefined {
  const status: unknown =
    exception instanceof HttpException
      ? exception.getStatus()
      : exception instanceof Error && 'statusCode' in exception
        ? exception.statusCode
        : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}
