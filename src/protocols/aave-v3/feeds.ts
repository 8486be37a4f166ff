import type { Address } from '../../domain/hex.js';
import { valueUsd8 } from '../../domain/money.js';
import { FeedList, feedsBehind, type FeedsBehind } from '../scan/feeds-behind.js';
import { isDebt } from '../scan/kinds.js';
import type { AaveMarketView } from './at-risk.js';
import { eModeOf, reserveOf } from './factors.js';
import { borrowIndexAt, priceOf, type EMode, type Reserve } from './market.js';
import { rayMul } from './math.js';
import type { PositionTable } from './position-table.js';

/** What decides about a leg: its reserve, and the e-mode category under which the reserve counts. */
interface Counted {
  readonly reserve: Reserve;
  readonly category: EMode | undefined;
}

/** The feeds behind the prices of a market. @param sources by what the oracle is asked for. */
export function feedsOfMarket(
  { market, conditions }: Pick<AaveMarketView, 'market' | 'conditions'>,
  sources: ReadonlyMap<Address, Address>,
  { rows }: PositionTable,
): FeedsBehind {
  const list = new FeedList();
  const byReserve = new Map<number, readonly number[]>();
  for (const { id, symbol, asset } of market.reserves.values())
    byReserve.set(id, [list.add(symbol, sources.get(asset))]);
  const byCategory = new Map<number, readonly number[]>();
  for (const { id, priceSource } of market.eModes.values())
    if (priceSource) byCategory.set(id, [list.add(`e-mode ${id}`, sources.get(priceSource))]);
  const countedIn = (kind: number): Counted | undefined => {
    const reserve = market.reserves.get(reserveOf(kind));
    const mode = market.eModes.get(eModeOf(kind));
    if (!reserve) return undefined;
    return {
      reserve,
      category: mode && (mode.collateralBitmap >> BigInt(reserve.id)) & 1n ? mode : undefined,
    };
  };
  const ofKind = new Map<number, readonly number[]>();
  const found = (kind: number): readonly number[] => {
    const { reserve, category } = countedIn(kind) ?? {};
    // A collateral without a threshold does not count, whatever its price.
    if (!reserve || (!isDebt(kind) && (category ?? reserve).liquidationThresholdBps === 0n)) return [];
    return (category && byCategory.get(category.id)) ?? byReserve.get(reserve.id) ?? [];
  };
  return feedsBehind(rows, list.feeds, {
    feedsOf: (kind) => {
      const known = ofKind.get(kind) ?? found(kind);
      ofKind.set(kind, known);
      return known;
    },
    debtUsd8: ({ kind, exact }) => {
      const { reserve, category } = countedIn(kind) ?? {};
      const priceUsd8 = reserve && priceOf(reserve, category, conditions.prices);
      if (!reserve || priceUsd8 === undefined) return 0n;
      const owed = rayMul(exact, borrowIndexAt(reserve.indexes, conditions.timestamp));
      return valueUsd8(owed, { decimals: reserve.decimals, priceUsd8 });
    },
  });
}
