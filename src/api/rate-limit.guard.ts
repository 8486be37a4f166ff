import { Injectable, type ExecutionContext } from '@nestjs/common';
import { ThrottlerGuard, type ThrottlerLimitDetail, type ThrottlerModuleOptions } from '@nestjs/throttler';
import type { Request, Response } from 'express';
import type { ChimeraConfig } from '../config/index.js';
import { accessTo } from './access.js';
import { ApiKeys } from './api-keys.js';
import { Refusal } from './refusal.js';

const WINDOW_MS = 60_000;
/** Requests a minute without a valid key: enough for mistakes, too few for guessing. */
export const UNKNOWN_PER_MINUTE = 60;
/**
 * All requests a minute, with and without a key. It limits the load, and guessing too, because a right guess
 * counts. Ten a second are more than a page and a few scripts need.
 */
export const ALL_PER_MINUTE = 600;

/**
 * Requests are counted per address (IPv6: per /64), over all routes. Behind a proxy all clients share the
 * proxy's address.
 */
export function rateLimits({ api }: ChimeraConfig): ThrottlerModuleOptions {
  const keys = new ApiKeys(api.keys);
  const isKnown = (context: ExecutionContext): boolean =>
    keys.holderOf(context.switchToHttp().getRequest<Request>().headers.authorization) !== undefined;
  return {
    setHeaders: false,
    throttlers: [
      { name: 'unknown', ttl: WINDOW_MS, limit: UNKNOWN_PER_MINUTE, skipIf: isKnown },
      { name: 'all', ttl: WINDOW_MS, limit: ALL_PER_MINUTE },
    ],
  };
}

/**
 * It runs before the keys are checked, so that a guess beyond the limit learns nothing. Public routes are not
 * limited.
 */
@Injectable()
export class RateLimitGuard extends ThrottlerGuard {
  protected override shouldSkip(context: ExecutionContext): Promise<boolean> {
    return Promise.resolve(accessTo(context, this.reflector) === 'public');
  }

  /** Unlike in the base class, the route is no part of the key: an address has one limit for all routes. */
  protected override generateKey(_: ExecutionContext, address: string, limit: string): string {
    return `${limit} ${address}`;
  }

  protected override throwThrottlingException(
    context: ExecutionContext,
    detail: ThrottlerLimitDetail,
  ): Promise<void> {
    const seconds = detail.timeToBlockExpire;
    context.switchToHttp().getResponse<Response>().setHeader('Retry-After', seconds);
    throw new Refusal(429, `too many requests from this address, try again in ${seconds} seconds`);
  }
}
