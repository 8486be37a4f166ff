import type { Hash } from '../../domain/hex.js';
import type { Factors } from '../scan/factors.js';
import { legKind } from '../scan/kinds.js';
import type { MarketTotals } from './market.js';

/** What the legs of a market are worth at a block; undefined where its price is missing. */
export interface MarketWorth {
  /** With the interest up to the block. */
  readonly totals: MarketTotals;
  readonly price: bigint;
  readonly lltvWad: bigint;
}

/**
 * The loan token units that one unit of each kind of leg adds at a block: price, LLTV and interest in one
 * number. A row is of one market, so that no value in USD is needed.
 *
 * @param worths by market: undefined where the price is missing, so that its rows are selected. A market that
 *   is absent is not served: its rows are never selected.
 */
export function marketFactors(
  markets: Iterable<Hash>,
  numberOf: (marketId: Hash) => number,
  worths: ReadonlyMap<Hash, MarketWorth | undefined>,
): (factors: Factors) => void {
  return (factors) => {
    factors.clear();
    for (const marketId of markets) {
      const [collateral, debt] = (['collateral', 'debt'] as const).map((side) =>
        legKind(numberOf(marketId), side),
      ) as [number, number];
      const worth = worths.get(marketId);
      if (worth) {
        const { totals, price, lltvWad } = worth;
        // The exact value is rounded down to a unit twice; the debt is rounded up to a unit once.
        factors.set(collateral, (Number(price) / 1e36) * (Number(lltvWad) / 1e18), 2);
        factors.set(debt, -(Number(totals.borrowAssets + 1n) / Number(totals.borrowShares + 1_000_000n)), 1);
      } else {
        const value = worths.has(marketId) ? NaN : 0;
        factors.set(collateral, value, 0);
        factors.set(debt, value, 0);
      }
    }
  };
}
