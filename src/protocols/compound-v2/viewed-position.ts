import { opens, type CompoundPosition } from './at-risk.js';
import { collateralsOf, lowestHealthFactor, positionOf } from './health.js';
import type { MarketTerms } from './market-terms.js';
import type { CompoundAccount, MarketConditions } from './market.js';

/**
 * An account as a view holds it: when it cannot be valued, may be liquidated, or is below the health factor.
 * Also when it may be liquidated at a price that a wrapper withholds from the market, of one of its
 * collaterals: an early call of the wrapper opens it. Undefined for every other account.
 *
 * @param fresh the withheld prices.
 * @param belowWad health factor.
 */
export function viewedPosition(
  { market, feeds }: MarketTerms,
  conditions: MarketConditions,
  fresh: ReadonlyMap<number, bigint>,
  account: CompoundAccount,
  belowWad: bigint,
): CompoundPosition | undefined {
  const data = positionOf(market, account, conditions);
  const open = { account, data, wrapper: undefined };
  if ('priceMissing' in data || opens(data)) return open;
  for (const [id, price] of fresh) {
    const prices = new Map([...conditions.prices, [id, price]]);
    const atFresh = positionOf(market, account, { ...conditions, prices });
    if ('priceMissing' in atFresh || !opens(atFresh)) continue;
    const mToken = market.mTokens.get(id)?.address;
    const wrapper = feeds.get(id);
    if (wrapper && collateralsOf(atFresh).some((leg) => leg.mToken === mToken))
      return { account, data: atFresh, wrapper };
  }
  return lowestHealthFactor(data) < belowWad ? open : undefined;
}
