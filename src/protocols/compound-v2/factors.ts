import { max, min } from '../../domain/money.js';
import type { Factors } from '../scan/factors.js';
import { legKind } from '../scan/kinds.js';
import { exchangeRate, totalsAt, type CompoundMarket, type MarketConditions } from './market.js';
import { mulExp } from './math.js';

/**
 * USD, wad, that one unit of each kind of leg adds at a block: an mToken, and a debt divided by its index.
 * They
 * make a health factor that is at most the one of each pair: debts with all of their interest, collateral
 * without; and the worse of two prices where a wrapper withholds one.
 *
 * @param fresh the withheld prices, by the id of the mToken.
 */
export function marketFactors(
  { mTokens }: CompoundMarket,
  { at, states, prices }: MarketConditions,
  fresh: ReadonlyMap<number, bigint> = new Map(),
): (factors: Factors) => void {
  return (factors) => {
    factors.clear();
    for (const mToken of mTokens.values()) {
      const state = states.get(mToken.id);
      const price = prices.get(mToken.id);
      const known = state !== undefined && price !== undefined;
      const other = fresh.get(mToken.id) ?? price ?? 0n;
      const tokensToDenom = known
        ? Number(mulExp(mulExp(mToken.collateralFactorWad, exchangeRate(state.totals)), min(price, other))) /
          1e18
        : NaN;
      const unit = known ? Number(max(price, other)) / 1e18 : NaN;
      const index = known ? Number(totalsAt(state, mToken, at).borrowIndex) : NaN;
      // The product of a collateral is truncated to 1; a debt is truncated to a unit of its asset first.
      factors.set(legKind(mToken.id, 'collateral'), tokensToDenom, 1);
      // A debt in a deprecated market is looked at whatever the health factor.
      factors.set(legKind(mToken.id, 'debt'), mToken.deprecated ? NaN : -unit * index, unit + 1);
    }
  };
}
