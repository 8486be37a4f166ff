import { valueUsd8 } from '../../domain/money.js';
import { FeedList, feedsBehind, type FeedsBehind } from '../scan/feeds-behind.js';
import { thingOf } from '../scan/kinds.js';
import type { MorphoBlueView } from './at-risk.js';
import { toAssetsUp } from './math.js';
import type { OracleShape } from './oracle-shape.js';
import type { PositionTable } from './position-table.js';
import type { Address } from '../../domain/hex.js';
import type { ValuedMarket } from './valued-market.js';

/**
 * The feeds behind the oracles of all markets that have a price. Of an oracle that names no feeds the oracle
 * itself is asked what it is. The USD feeds of loan tokens are not among them: no position depends on them.
 */
export function feedsOfMarkets(
  { valued }: Pick<MorphoBlueView, 'valued'>,
  table: PositionTable,
): FeedsBehind {
  const list = new FeedList();
  const markets = new Map<number, { readonly of: ValuedMarket; readonly feeds: readonly number[] }>();
  for (const [id, one] of valued) {
    const { oracle, params, collateral, loan } = one.market;
    const pair = `${collateral.symbol}/${loan.symbol}`;
    const feeds = behind(oracle, params.oracle).map((feed) => list.add(pair, feed));
    markets.set(table.numberOf(id), { of: one, feeds: [...new Set(feeds)] });
  }
  return feedsBehind(table.rows, list.feeds, {
    feedsOf: (kind) => markets.get(thingOf(kind))?.feeds ?? [],
    debtUsd8: ({ kind, exact: shares }) => {
      const { of } = markets.get(thingOf(kind)) ?? {};
      if (!of) return 0n;
      const { borrowAssets, borrowShares } = of.totals;
      return valueUsd8(toAssetsUp(shares, borrowAssets, borrowShares), of.debt);
    },
  });
}

function behind(shape: OracleShape, oracle: Address): readonly Address[] {
  switch (shape.kind) {
    case 'feeds':
      return [...shape.baseFeeds, ...shape.quoteFeeds];
    case 'vault':
      return shape.feeds.length > 0 ? shape.feeds : [oracle];
    case 'other':
      return [oracle];
  }
}
