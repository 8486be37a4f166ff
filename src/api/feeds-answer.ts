import type { FeedKind, MarketFeeds } from '../domain/feed-kinds.js';
import { formatUnits } from '../domain/money.js';

/** The feeds behind the prices of a market, and the debt that depends on them. Shares are rounded down. */
export interface MarketFeedsAnswer {
  readonly market: string;
  /** Of the prices. */
  readonly block: number;
  readonly debtUsd: string;
  /**
   * By the kind of feed. A position counts once: as `svr` if one of its prices comes from such a feed, else
   * as `oev-wrapper`, `unknown` or `public`, in this order.
   */
  readonly kinds: Readonly<Record<FeedKind, { readonly feeds: number; readonly debtShareBps: number }>>;
  /** Those with the most debt behind them. A position counts for each of its feeds. */
  readonly feeds: readonly FeedAnswer[];
  /** Feeds that are not in the list. */
  readonly more: number;
}

export interface FeedAnswer {
  readonly of: string;
  /** Null where the market's oracle does not tell it. */
  readonly address: string | null;
  readonly kind: FeedKind;
  /** What its aggregator says of itself. Null when it says nothing. */
  readonly type: string | null;
  readonly debtShareBps: number;
}

const MOST_FEEDS = 100;

export function feedsAnswer({ market, block, debtUsd8, kinds, feeds }: MarketFeeds): MarketFeedsAnswer {
  const of = (kind: FeedKind): { feeds: number; debtShareBps: number } => ({
    feeds: kinds[kind].feeds,
    debtShareBps: kinds[kind].debtBps,
  });
  return {
    ...{ market, block, debtUsd: formatUnits(debtUsd8, 8) },
    kinds: {
      svr: of('svr'),
      'oev-wrapper': of('oev-wrapper'),
      unknown: of('unknown'),
      public: of('public'),
    },
    feeds: feeds.slice(0, MOST_FEEDS).map((feed) => ({
      ...{ of: feed.of, address: feed.address ?? null, kind: feed.kind, type: feed.type ?? null },
      debtShareBps: feed.debtBps,
    })),
    more: Math.max(feeds.length - MOST_FEEDS, 0),
  };
}
