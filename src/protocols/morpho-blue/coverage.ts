import type { Hash } from '../../domain/hex.js';
import type { FaultyMarket, MarketCoverage, UnservedReason } from '../../domain/market-coverage.js';
import type { FollowedMarket } from './followed-market.js';

/**
 * Which markets are served, and why the others are not.
 *
 * @param ignored those that are not followed.
 * @param followed the others.
 * @param faulty those that have no price, or no rate, in the last view.
 */
export function coverageOf(
  ignored: ReadonlyMap<Hash, UnservedReason>,
  followed: Iterable<FollowedMarket>,
  whyNotServed: (market: FollowedMarket) => UnservedReason | undefined,
  faulty: readonly FaultyMarket[],
): MarketCoverage {
  const faults = new Map(faulty.map(({ marketId, reason }) => [marketId, reason]));
  const unserved: Partial<Record<UnservedReason, number>> = {};
  const count = (reason: UnservedReason): void => {
    unserved[reason] = (unserved[reason] ?? 0) + 1;
  };
  for (const reason of ignored.values()) count(reason);
  let served = 0;
  for (const market of followed) {
    const reason = whyNotServed(market) ?? faults.get(market.id);
    if (reason) count(reason);
    else served += 1;
  }
  return { served, unserved, faulty };
}
