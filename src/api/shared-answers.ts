import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { finalize, from, lastValueFrom, type Observable } from 'rxjs';
import { Clock } from '../domain/clock.js';

/** So long an answer holds for others who ask for the same. The stream of the status is no faster. */
const FRESH_MS = 200;
/** So many questions at a time. Only holders of keys can ask many different ones. */
const MOST = 16;

/**
 * A route whose answer to the same question is the same for every caller, whatever the key. The question is
 * its path, or its path with the query where it reads one.
 */
export const Shared = Reflector.createDecorator<'path' | 'query'>();

interface Answer {
  readonly sinceMs: number;
  readonly text: Promise<string>;
}

/**
 * Many who ask for the same at once get one answer, made once: a page of executions takes milliseconds of the
 * thread that the bot works on. A POST ends all answers: the next one has what it changed.
 */
@Injectable()
export class SharedAnswers implements NestInterceptor {
  readonly #answers = new Map<string, Answer>();

  constructor(
    private readonly reflector: Reflector,
    private readonly clock: Clock,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    const request = context.switchToHttp().getRequest<Request>();
    if (request.method === 'POST') return next.handle().pipe(finalize(() => this.#answers.clear()));
    const question = this.reflector.get<'path' | 'query' | undefined>(Shared.KEY, context.getHandler());
    if (question === undefined) return next.handle();
    context
      .switchToHttp()
      .getResponse<Response>()
      .setHeader('Content-Type', 'application/json; charset=utf-8');
    const make = async (): Promise<string> => JSON.stringify(await lastValueFrom(next.handle()));
    return from(this.of(question === 'path' ? request.path : request.originalUrl, make));
  }

  /** The answer that is known under a name, or a new one. What fails is not kept. */
  of(name: string, make: () => Promise<string>): Promise<string> {
    const nowMs = this.clock.monotonicMs();
    const known = this.#answers.get(name);
    if (known && nowMs - known.sinceMs < FRESH_MS) return known.text;
    this.#forgetOld(nowMs);
    const answer: Answer = { sinceMs: nowMs, text: make() };
    this.#answers.set(name, answer);
    answer.text.catch(() => {
      if (this.#answers.get(name) === answer) this.#answers.delete(name);
    });
    return answer.text;
  }

  #forgetOld(nowMs: number): void {
    for (const [name, { sinceMs }] of this.#answers)
      if (nowMs - sinceMs >= FRESH_MS) this.#answers.delete(name);
    if (this.#answers.size >= MOST) this.#answers.clear();
  }
}
