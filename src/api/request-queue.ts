import { Injectable } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { BotStatusReader } from '../bot/bot-status.js';
import { Clock } from '../domain/clock.js';
import { Refusal } from './refusal.js';

/** While a pass runs, for so long no request begins. A pass that hangs must not hide the bot from people. */
const PASS_FIRST_MS = 250;
/** Afterwards one of them begins in each such time, until the pass ends. */
const PACE_IN_PASS_MS = 20;
/** So many are worked on at once. They share the connections to the database with the bot. */
const MOST_AT_WORK = 4;
/** More are refused, and so are those that would have waited for longer. */
const MOST_WAITING = 1_000;
const MOST_WAIT_MS = 3_000;
/** How often it is looked whether the pass has ended. */
const LOOK_MS = 2;

interface Waiting {
  readonly response: Response;
  readonly begin: NextFunction;
  readonly sinceMs: number;
}

/**
 * Lets the passes of the bot go before the requests of people, pages and probes: they share one event loop.
 * Requests begin one in each turn of the loop, in their order, and not within a pass. A halt never waits.
 */
@Injectable()
export class RequestQueue {
  readonly #waiting: Waiting[] = [];
  #atWork: Response[] = [];
  #isPlanned = false;
  #lastBeganMs = -Infinity;
  #passSinceMs: number | undefined;

  constructor(
    private readonly bot: BotStatusReader,
    private readonly clock: Clock,
  ) {}

  take(request: Request, response: Response, next: NextFunction): void {
    if (request.method === 'POST' && request.path === '/api/v1/safety/halt') {
      next();
      return;
    }
    if (this.#waiting.length >= MOST_WAITING) {
      this.#refuse(response, next);
      return;
    }
    this.#waiting.push({ response, begin: next, sinceMs: this.clock.monotonicMs() });
    this.#plan();
  }

  #plan(afterMs = 0): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    const look = (): void => {
      this.#isPlanned = false;
      this.#look();
    };
    // Between two of them the loop takes what has arrived: a head, an answer of a node.
    if (afterMs === 0) setImmediate(look);
    else setTimeout(look, afterMs);
  }

  #look(): void {
    const nowMs = this.clock.monotonicMs();
    this.#refuseLate(nowMs);
    const [first] = this.#waiting;
    if (!first) return;
    this.#atWork = this.#atWork.filter((one) => !one.headersSent && !one.destroyed);
    if (this.#atWork.length >= MOST_AT_WORK || !this.#mayBegin(nowMs)) {
      this.#plan(LOOK_MS);
      return;
    }
    this.#waiting.shift();
    this.#atWork.push(first.response);
    this.#lastBeganMs = nowMs;
    first.begin();
    this.#plan();
  }

  #mayBegin(nowMs: number): boolean {
    if (!this.bot.isInPass) {
      this.#passSinceMs = undefined;
      return true;
    }
    this.#passSinceMs ??= nowMs;
    return nowMs - this.#passSinceMs > PASS_FIRST_MS && nowMs - this.#lastBeganMs > PACE_IN_PASS_MS;
  }

  #refuseLate(nowMs: number): void {
    for (;;) {
      const [first] = this.#waiting;
      if (!first || nowMs - first.sinceMs <= MOST_WAIT_MS) return;
      this.#waiting.shift();
      if (!first.response.destroyed) this.#refuse(first.response, first.begin);
    }
  }

  #refuse(response: Response, next: NextFunction): void {
    response.setHeader('Retry-After', 1);
    next(new Refusal(503, 'there are more requests than the bot has time for: try again shortly'));
  }
}
