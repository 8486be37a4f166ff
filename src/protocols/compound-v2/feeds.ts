import { FeedList, feedsBehind, type FeedsBehind } from '../scan/feeds-behind.js';
import { isDebt, thingOf } from '../scan/kinds.js';
import type { ViewData } from './at-risk.js';
import type { MarketTerms } from './market-terms.js';
import { borrowBalance, totalsAt, valueAt } from './market.js';
import { interestIndexIn, type PositionTable } from './position-table.js';

/** The feeds behind the prices of a Comptroller's markets. @param terms.feeds by the id of the mToken. */
export function feedsOfMarket(
  { market, conditions }: Pick<ViewData, 'market' | 'conditions'>,
  { feeds }: Pick<MarketTerms, 'feeds'>,
  { rows }: PositionTable,
): FeedsBehind {
  const list = new FeedList();
  const places = new Map(
    [...market.mTokens.values()].map(({ id, symbol }) => [id, [list.add(symbol, feeds.get(id))]] as const),
  );
  const none: readonly number[] = [];
  const ofCollateral = new Map(
    [...market.mTokens.values()].map(({ id, collateralFactorWad }) => [
      id,
      // A collateral without a factor does not count, whatever its price.
      collateralFactorWad > 0n ? (places.get(id) ?? none) : none,
    ]),
  );
  return feedsBehind(rows, list.feeds, {
    feedsOf: (kind) => (isDebt(kind) ? places : ofCollateral).get(thingOf(kind)) ?? none,
    debtUsd8: ({ kind, exact: principal }, row) => {
      const id = thingOf(kind);
      const interestIndex = interestIndexIn(row, id);
      const [mToken, state] = [market.mTokens.get(id), conditions.states.get(id)];
      const price = conditions.prices.get(id);
      if (!mToken || !state || interestIndex === undefined || price === undefined) return 0n;
      const totals = totalsAt(state, mToken, conditions.at);
      return valueAt(borrowBalance({ principal, interestIndex }, totals), price);
    },
  });
}
