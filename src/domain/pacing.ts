import type { Outcome } from './outcome.js';

/**
 * How many transactions may be in flight, and which share of each bid is offered. Both fall with what is lost
 * and grow with what is won, because a rival who wins now will win the next block too, and a tip is paid on a
 * revert.
 *
 * 1. The bot starts with 4 in flight and the full bid, after a restart too.
 * 2. A block with anything lost, stale or malfunctioning halves the number (at least 1), and takes the share
 *    to three quarters of itself (at least a quarter). It does so once, however many there are.
 * 3. Each win adds 1 to the number (at most `execution.maxInFlight`), and a quarter of the full bid to the
 *    share.
 * 4. Each minute without such a block adds 1 to the number as long as it is below 4, and a quarter of the
 *    full bid to the share. So a bot that lost is back where it started after three minutes.
 *
 * What the nodes refused changes nothing: it cost nothing, and says nothing about rivals.
 */
export interface Pacing {
  readonly maxInFlight: number;
  readonly bidShareBps: number;
  /** The block that was counted last by rule 2. */
  readonly lostIn: string | undefined;
  /** When rule 2 or rule 4 was applied last: milliseconds of the monotonic clock. */
  readonly quietSinceMs: number;
}

const START_IN_FLIGHT = 4;
const FULL_SHARE_BPS = 10_000;
const LEAST_SHARE_BPS = 2_500;
const RECOVERY_BPS = 2_500;
const QUIET_MS = 60_000;

/** @param most the key `execution.maxInFlight`. */
export function startPacing(most: number, nowMs: number): Pacing {
  return {
    maxInFlight: Math.min(START_IN_FLIGHT, most),
    bidShareBps: FULL_SHARE_BPS,
    lostIn: undefined,
    quietSinceMs: nowMs,
  };
}

/** @param block any text that names the block of the outcome. */
export function pacingAfter(
  pacing: Pacing,
  outcome: Outcome,
  block: string,
  most: number,
  nowMs: number,
): Pacing {
  const now = rested(pacing, most, nowMs);
  const { maxInFlight, bidShareBps } = now;
  switch (outcome) {
    case 'refused':
      return now;
    case 'won':
      return {
        ...now,
        maxInFlight: Math.min(most, maxInFlight + 1),
        bidShareBps: Math.min(FULL_SHARE_BPS, bidShareBps + RECOVERY_BPS),
      };
    case 'lost':
    case 'stale':
    case 'malfunction':
      if (block === now.lostIn) return now;
      return {
        maxInFlight: Math.max(1, Math.floor(maxInFlight / 2)),
        bidShareBps: Math.max(LEAST_SHARE_BPS, Math.floor((bidShareBps * 3) / 4)),
        lostIn: block,
        quietSinceMs: nowMs,
      };
  }
}

/** Rule 4, up to this time. */
export function rested(pacing: Pacing, most: number, nowMs: number): Pacing {
  const minutes = Math.floor((nowMs - pacing.quietSinceMs) / QUIET_MS);
  if (minutes <= 0) return pacing;
  const { maxInFlight, bidShareBps, quietSinceMs } = pacing;
  const start = Math.min(START_IN_FLIGHT, most);
  return {
    ...pacing,
    maxInFlight: Math.max(maxInFlight, Math.min(start, maxInFlight + minutes)),
    bidShareBps: Math.min(FULL_SHARE_BPS, bidShareBps + minutes * RECOVERY_BPS),
    quietSinceMs: quietSinceMs + minutes * QUIET_MS,
  };
}
