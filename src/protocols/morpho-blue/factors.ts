import type { Hash } from '../../domain/hex.js';
import type { Factors } from '../scan/factors.js';
import { legKind } from '../scan/kinds.js';

/** What the legs of a market are worth at a block. */
export interface LegWorth {
  /** Loan token units for 1e36 collateral token units. */
  readonly price: bigint;
  readonly lltvWad: bigint;
  /** Loan token units that a borrow share owes at that block, at least. */
  readonly debtPerShare: number;
}

/**
 * The loan token units that one unit of each kind of leg adds at a block: price, LLTV and interest in one
 * number. A row is of one market, so that no value in USD is needed.
 *
 * @param markets an array: the factors are written more than once.
 * @param worths by market. One that is absent is not served, or has no price: its rows are never selected.
 *   What it lacks is said once for the market (`MarketCoverage`), not for each of its borrowers.
 */
export function marketFactors(
  markets: readonly Hash[],
  numberOf: (marketId: Hash) => number,
  worths: Pick<ReadonlyMap<Hash, LegWorth>, 'get'>,
): (factors: Factors) => void {
  return (factors) => {
    factors.clear();
    for (const marketId of markets) {
      const number = numberOf(marketId);
      const [collateral, debt] = [legKind(number, 'collateral'), legKind(number, 'debt')];
      const worth = worths.get(marketId);
      if (worth) {
        const { price, lltvWad, debtPerShare } = worth;
        // The exact value is rounded down to a unit twice; the debt is rounded up to a unit once.
        factors.set(collateral, (Number(price) / 1e36) * (Number(lltvWad) / 1e18), 2);
        factors.set(debt, -debtPerShare, 1);
      } else {
        factors.set(collateral, 0, 0);
        factors.set(debt, 0, 0);
      }
    }
  };
}
