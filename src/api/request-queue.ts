import { Injectable } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { BotStatusReader } from '../bot/bot-status.js';
import { Clock } from '../domain/clock.js';
import { mayCall } from './access.js';
import { ApiKeys } from './api-keys.js';
import { Refusal } from './refusal.js';

/** While a pass runs, for so long no request begins. A pass that hangs must not hide the bot from people. */
const PASS_FIRST_MS = 250;
/** Afterwards one of them begins in each such time, until the pass ends. */
const PACE_IN_PASS_MS = 20;
/** So many are worked on at once. They share the connections to the database with the bot. */
const MOST_AT_WORK = 4;
/** One that hangs for longer than a query may take gives its place to the next. */
const LONGEST_AT_WORK_MS = 10_000;
/** They ask nothing of the database, and need no place: one that hangs must not hide the bot. */
const FROM_MEMORY: ReadonlySet<string> = new Set([
  ...['/health/live', '/metrics', '/api/v1/status', '/api/v1/stream'],
]);
/** More are refused, and so are those that would have waited for longer. */
const MOST_WAITING = 1_000;
const MOST_WAIT_MS = 3_000;
/** How often it is looked whether the pass has ended. */
const LOOK_MS = 2;

interface Waiting {
  readonly response: Response;
  readonly begin: NextFunction;
  readonly sinceMs: number;
  readonly needsPlace: boolean;
}

interface AtWork {
  readonly response: Response;
  readonly sinceMs: number;
}

/**
 * Lets the passes of the bot go before the requests of people, pages and probes: they share one event loop.
 * Requests begin one in each turn of the loop, in their order, and not within a pass. A halt never waits.
 */
@Injectable()
export class RequestQueue {
  #waiting: Waiting[] = [];
  #atWork: AtWork[] = [];
  #isPlanned = false;
  #lastBeganMs = -Infinity;
  #passSinceMs: number | undefined;

  constructor(
    private readonly bot: BotStatusReader,
    private readonly clock: Clock,
    private readonly keys: ApiKeys,
  ) {}

  take(request: Request, response: Response, next: NextFunction): void {
    if (this.#isHalt(request)) {
      next();
      return;
    }
    if (this.#waiting.length >= MOST_WAITING) this.#forgetGone();
    if (this.#waiting.length >= MOST_WAITING) {
      this.#refuse(response, next);
      return;
    }
    const sinceMs = this.clock.monotonicMs();
    this.#waiting.push({ response, begin: next, sinceMs, needsPlace: !FROM_MEMORY.has(request.path) });
    this.#plan();
  }

  /** Of an operator: a stranger must not get in between a head and a transaction with it. */
  #isHalt(request: Request): boolean {
    if (request.method !== 'POST' || request.path !== '/api/v1/safety/halt') return false;
    const caller = this.keys.callerOf(request);
    return caller !== undefined && mayCall(caller, 'operator');
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
    while (this.#waiting[0] && isGone(this.#waiting[0])) this.#waiting.shift();
    if (this.#waiting.length === 0) return;
    this.#atWork = this.#atWork.filter((one) => takesPlace(one, nowMs));
    const hasPlace = this.#atWork.length < MOST_AT_WORK;
    const next = this.#waiting.findIndex((one) => hasPlace || (!one.needsPlace && !isGone(one)));
    if (next < 0 || !this.#mayBegin(nowMs)) {
      this.#plan(LOOK_MS);
      return;
    }
    for (const { response, begin, needsPlace } of this.#waiting.splice(next, 1)) {
      if (needsPlace) this.#atWork.push({ response, sinceMs: nowMs });
      this.#lastBeganMs = nowMs;
      this.#plan();
      begin();
    }
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
      if (!isGone(first)) this.#refuse(first.response, first.begin);
    }
  }

  #forgetGone(): void {
    this.#waiting = this.#waiting.filter((one) => !isGone(one));
  }

  #refuse(response: Response, next: NextFunction): void {
    response.setHeader('Retry-After', 1);
    next(new Refusal(503, 'there are more requests than the bot has time for: try again shortly'));
  }
}

/** Its client has closed the connection. A response behind another one in a connection does not learn it. */
function isGone({ response }: Pick<Waiting, 'response'>): boolean {
  return response.destroyed || response.req.socket.destroyed;
}

/** While a body is on its way, its client has the work, and not the bot. */
function takesPlace({ response, sinceMs }: AtWork, nowMs: number): boolean {
  if (response.headersSent || isGone({ response }) || !response.req.complete) return false;
  return nowMs - sinceMs <= LONGEST_AT_WORK_MS;
}
