import { Injectable, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import {
  InjectThrottlerOptions,
  InjectThrottlerStorage,
  ThrottlerGuard,
  type ThrottlerLimitDetail,
  type ThrottlerModuleOptions,
  type ThrottlerOptions,
  type ThrottlerRequest,
  type ThrottlerStorage,
} from '@nestjs/throttler';
import type { Request, Response } from 'express';
import { accessTo, mayCall, HaltRoute } from './access.js';
import { ApiKeys, type ApiKey } from './api-keys.js';
import { Refusal } from './refusal.js';

const WINDOW_MS = 60_000;
/** Requests a minute without a valid key: enough for mistakes, too few for guessing. */
export const UNKNOWN_PER_MINUTE = 60;
/** Requests a minute with one key. Ten a second are more than a page and a few scripts need. */
export const ALL_PER_MINUTE = 600;
/**
 * So many requests of an address, each without a key that it has used before, are a search for keys. Then
 * even a right one is refused, because the answer would tell that it is right.
 */
export const GUESSES_PER_MINUTE = 600;
/** Only holders of keys add to the list of addresses, so that it stays far below. */
const MOST_ADDRESSES = 10_000;

type Limit = 'unknown' | 'guesses' | 'key';

const limitOf = (name: Limit, limit: number): ThrottlerOptions => ({ name, limit, ttl: WINDOW_MS });

export const RATE_LIMITS: ThrottlerModuleOptions = {
  setHeaders: false,
  throttlers: [
    // Before the next one, which would refuse without counting.
    limitOf('guesses', GUESSES_PER_MINUTE),
    limitOf('unknown', UNKNOWN_PER_MINUTE),
    limitOf('key', ALL_PER_MINUTE),
  ],
};

/**
 * Requests with a valid key are counted by key, over all routes. Others are counted by address (IPv6: by
 * /64); behind a proxy all clients share the proxy's address. So neither another key nor a neighbour behind
 * the same address uses up the limit of a key.
 *
 * It runs before the keys are checked. A halt by an operator is never refused. Public routes are not limited.
 */
@Injectable()
export class RateLimitGuard extends ThrottlerGuard {
  /** Address and key of the callers that were served. */
  readonly #seen = new Set<string>();

  constructor(
    @InjectThrottlerOptions() options: ThrottlerModuleOptions,
    @InjectThrottlerStorage() storage: ThrottlerStorage,
    reflector: Reflector,
    private readonly keys: ApiKeys,
  ) {
    super(options, storage, reflector);
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const admitted = await super.canActivate(context);
    const caller = this.#callerOf(context);
    if (caller && this.#seen.size < MOST_ADDRESSES) this.#seen.add(await this.#visit(context, caller));
    return admitted;
  }

  protected override shouldSkip(context: ExecutionContext): Promise<boolean> {
    const needed = accessTo(context, this.reflector);
    if (needed === 'public') return Promise.resolve(true);
    const caller = this.#callerOf(context);
    const exempt: unknown = this.reflector.get(HaltRoute, context.getHandler());
    return Promise.resolve(exempt === true && caller !== undefined && mayCall(caller, needed));
  }

  protected override async handleRequest(request: ThrottlerRequest): Promise<boolean> {
    const { context, throttler } = request;
    const caller = this.#callerOf(context);
    if (throttler.name === 'key')
      return caller ? super.handleRequest({ ...request, getTracker: () => caller.name }) : true;
    const isCounted =
      throttler.name === 'guesses' ? !caller || !this.#seen.has(await this.#visit(context, caller)) : !caller;
    return isCounted ? super.handleRequest(request) : true;
  }

  async #visit(context: ExecutionContext, { name }: ApiKey): Promise<string> {
    const address = await this.getTracker(context.switchToHttp().getRequest<Request>());
    return `${address} ${name}`;
  }

  #callerOf(context: ExecutionContext): ApiKey | undefined {
    return this.keys.callerOf(context.switchToHttp().getRequest<Request>());
  }

  /** Unlike in the base class, the route is no part of the key: one limit holds for all routes. */
  protected override generateKey(_: ExecutionContext, tracker: string, limit: string): string {
    return `${limit} ${tracker}`;
  }

  protected override throwThrottlingException(
    context: ExecutionContext,
    detail: ThrottlerLimitDetail,
  ): Promise<void> {
    const seconds = detail.timeToBlockExpire;
    context.switchToHttp().getResponse<Response>().setHeader('Retry-After', seconds);
    const from = detail.key.startsWith('key ') ? 'with this key' : 'from this address';
    throw new Refusal(429, `too many requests ${from}, try again in ${seconds} seconds`);
  }
}
