import { createHash } from 'node:crypto';
import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Response } from 'express';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { RequestsRepository, type Begun, type KeyedRequest } from '../database/index.js';
import { Clock } from '../domain/clock.js';
import { HaltRoute, type CallerRequest } from './access.js';
import { Refusal } from './refusal.js';

const HEADER = 'idempotency-key';
const KEY = /^[\x21-\x7e]{1,128}$/;
/** So long a request waits for the same one that is being worked on. */
const PATIENCE_MS = 10_000;
const LOOK_AGAIN_MS = 50;

/**
 * A POST with the header `Idempotency-Key` is done once: the same request again gets the first answer, for
 * 24 hours, also after a restart. What was refused or failed did nothing: its key may be used again. A halt
 * is done each time: a stored answer must not stand for it after a resume.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    private readonly requests: RequestsRepository,
    private readonly reflector: Reflector,
    private readonly clock: Clock,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler<object>): Observable<object> {
    const request = context.switchToHttp().getRequest<CallerRequest>();
    const key = request.method === 'POST' ? request.headers[HEADER] : undefined;
    const isHalt: unknown = this.reflector.get(HaltRoute, context.getHandler());
    if (key === undefined || isHalt === true) return next.handle();
    if (typeof key !== 'string' || !KEY.test(key))
      throw new Refusal(400, 'Idempotency-Key must be 1 to 128 visible characters of ASCII');
    const body: unknown = request.body;
    const text = JSON.stringify([request.method, request.path, body]);
    const digest = createHash('sha256').update(text).digest();
    const keyed = { actor: request.caller?.name ?? '', key, digest };
    return from(this.once(keyed, context, next));
  }

  private async once(
    request: KeyedRequest,
    context: ExecutionContext,
    next: CallHandler<object>,
  ): Promise<object> {
    const begun = await this.begin(request);
    if (begun.kind === 'other')
      throw new Refusal(422, 'this Idempotency-Key was used for another request: choose a new one');
    if (begun.kind === 'working')
      throw new Refusal(409, 'the same request is being worked on: ask again in a moment');
    if (begun.kind === 'answered') {
      context.switchToHttp().getResponse<Response>().setHeader('Idempotent-Replayed', 'true');
      return begun.answer;
    }
    let answer: object;
    try {
      answer = await lastValueFrom(next.handle());
    } catch (error) {
      await this.requests.failed(request).catch(() => undefined);
      throw error;
    }
    // It is done. Without its answer, the same request is done again after a minute.
    await this.requests.answered(request, answer).catch(() => undefined);
    return answer;
  }

  private async begin(request: KeyedRequest): Promise<Begun> {
    const untilMs = this.clock.monotonicMs() + PATIENCE_MS;
    for (;;) {
      const begun = await this.requests.begin(request);
      if (begun.kind !== 'working' || this.clock.monotonicMs() >= untilMs) return begun;
      await new Promise<void>((resolve) => this.clock.after(LOOK_AGAIN_MS, resolve));
    }
  }
}
