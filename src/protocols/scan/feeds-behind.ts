import type { MarketFeed } from '../../domain/feed-kinds.js';
import type { LegTable } from './leg-table.js';
import { isDebt, isIdle } from './kinds.js';

/** A leg as the table keeps it. */
interface Leg {
  readonly kind: number;
  readonly exact: bigint;
}

/** The feeds behind a market's prices, and the debt of each position, computed when it is asked for. */
export interface FeedsBehind {
  readonly feeds: readonly MarketFeed[];
  /** All rows of the table of positions are below it. */
  readonly rowCount: number;
  /** The debt in a row, USD8, and the feeds behind it by their place, each once; undefined without a debt. */
  row(row: number): { readonly debtUsd8: bigint; readonly feeds: readonly number[] } | undefined;
}

export const NO_FEEDS: FeedsBehind = { feeds: [], rowCount: 0, row: () => undefined };

/** How a family finds what is behind a leg. */
export interface LegWorth {
  /** The places of the feeds behind legs of this kind; none where they do not count for the health. */
  readonly feedsOf: (kind: number) => readonly number[];
  /** USD8, rounded down; 0 where the price is not known. @param row all legs of its row. */
  readonly debtUsd8: (leg: Leg, row: readonly Leg[]) => bigint;
}

/**
 * @param rows as they are when a row is asked for: a position that changed since the view counts as it is
 *   then, at the prices of the view.
 */
export function feedsBehind(
  rows: Pick<LegTable<string>, 'rowCount' | 'legsOf'>,
  feeds: readonly MarketFeed[],
  { feedsOf, debtUsd8 }: LegWorth,
): FeedsBehind {
  return {
    feeds,
    rowCount: rows.rowCount,
    row: (row) => {
      const legs = rows.legsOf(row);
      const behind: number[] = [];
      let debt = 0n;
      for (const leg of legs) {
        if (isIdle(leg.kind)) continue;
        if (isDebt(leg.kind)) debt += debtUsd8(leg, legs);
        for (const feed of feedsOf(leg.kind)) if (!behind.includes(feed)) behind.push(feed);
      }
      return debt === 0n ? undefined : { debtUsd8: debt, feeds: behind };
    },
  };
}

/** Feeds by their place, each address once. A price of which no feed is told is a feed without an address. */
export class FeedList {
  private readonly list: { of: string[]; readonly address: MarketFeed['address'] }[] = [];

  /** The place of a feed. @param of what it is a price of. */
  add(of: string, address: MarketFeed['address']): number {
    const known = this.list.findIndex((one) =>
      address === undefined ? one.address === undefined && one.of.includes(of) : one.address === address,
    );
    if (known < 0) return this.list.push({ of: [of], address }) - 1;
    const names = this.list[known]?.of;
    if (names && !names.includes(of)) names.push(of);
    return known;
  }

  get feeds(): readonly MarketFeed[] {
    return this.list.map(({ of, address }) => ({ of: named(of), address }));
  }
}

const MOST_NAMES = 3;

function named(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  return [...names.slice(0, MOST_NAMES), ...(more > 0 ? [`${more} more`] : [])].join(', ');
}
