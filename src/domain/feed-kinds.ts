import type { Address } from './hex.js';
import { BPS } from './money.js';

/**
 * Who sees a new price first. The order is the one in which a position that depends on several is counted:
 * the first that one of its feeds has.
 *
 * - `svr`: the aggregator is Chainlink's DualAggregator. Through the SVR proxy a new price is auctioned, and
 *   reaches everybody else later. The plain proxy of the same aggregator withholds nothing; no contract tells
 *   the two apart.
 * - `oev-wrapper`: a wrapper withholds a new price for some time, and gives it to whoever liquidates through
 *   it.
 * - `unknown`: the contracts do not say.
 * - `public`: an aggregator of Chainlink that everybody sees at once.
 */
export const FEED_KINDS = ['svr', 'oev-wrapper', 'unknown', 'public'] as const;
export type FeedKind = (typeof FEED_KINDS)[number];

/** What the contracts say of a feed. */
export interface FeedNature {
  readonly kind: FeedKind;
  /** `typeAndVersion` of the contract that decided it: at most 64 printable characters. */
  readonly type: string | undefined;
}

/** A feed of a market. */
export interface MarketFeed {
  /** What it is a price of, for example "cbBTC", or "cbBTC/USDC" for a market of Morpho Blue. */
  readonly of: string;
  /** Undefined where the market's oracle does not tell. */
  readonly address: Address | undefined;
}

/** A feed, and the debt of all positions that it can open or close. */
export interface FeedShare extends MarketFeed, FeedNature {
  /** Of the market's debt, rounded down. A position counts for each of its feeds. */
  readonly debtBps: number;
}

/** The feeds of one market, with the share of its debt behind each kind. */
export interface MarketFeeds {
  readonly market: string;
  /** Of the prices. */
  readonly block: number;
  readonly debtUsd8: bigint;
  /** Of each kind: how many feeds, and the share of the debt, where each position counts once. */
  readonly kinds: Readonly<Record<FeedKind, { readonly feeds: number; readonly debtBps: number }>>;
  /** The feed with the most debt first. */
  readonly feeds: readonly FeedShare[];
}

/** The kind that comes first among these; `unknown` when there is none. */
export function leadingKind(kinds: readonly FeedKind[]): FeedKind {
  return FEED_KINDS.find((kind) => kinds.includes(kind)) ?? 'unknown';
}

/** The debts of a market's positions, by what their prices depend on. */
export class DebtTally {
  private total = 0n;
  private readonly byKind = new Map<FeedKind, bigint>();
  private readonly byFeed: bigint[];

  /** @param natures of each of the feeds, in their order. */
  constructor(
    private readonly feeds: readonly MarketFeed[],
    private readonly natures: readonly FeedNature[],
  ) {
    this.byFeed = feeds.map(() => 0n);
  }

  /** @param feeds places in the list of feeds, each once. */
  add(debtUsd8: bigint, feeds: readonly number[]): void {
    this.total += debtUsd8;
    const kind = leadingKind(feeds.map((feed) => this.natures[feed]?.kind ?? 'unknown'));
    this.byKind.set(kind, (this.byKind.get(kind) ?? 0n) + debtUsd8);
    for (const feed of feeds) this.byFeed[feed] = (this.byFeed[feed] ?? 0n) + debtUsd8;
  }

  /** What came of it. */
  end(market: string, block: number): MarketFeeds {
    const { natures, total } = this;
    const of = (kind: FeedKind): { feeds: number; debtBps: number } => ({
      feeds: natures.filter((nature) => nature.kind === kind).length,
      debtBps: this.share(this.byKind.get(kind)),
    });
    const shares = this.feeds.map((feed, index) => {
      const { kind, type } = natures[index] ?? { kind: 'unknown' as const, type: undefined };
      return { ...feed, kind, type, debtUsd8: this.byFeed[index] ?? 0n };
    });
    return {
      ...{ market, block, debtUsd8: total },
      kinds: {
        svr: of('svr'),
        'oev-wrapper': of('oev-wrapper'),
        unknown: of('unknown'),
        public: of('public'),
      },
      feeds: shares
        .toSorted((one, other) =>
          one.debtUsd8 < other.debtUsd8 ? 1 : one.debtUsd8 > other.debtUsd8 ? -1 : 0,
        )
        .map(({ debtUsd8, ...feed }) => ({ ...feed, debtBps: this.share(debtUsd8) })),
    };
  }

  /** Basis points of the total, rounded down. */
  private share(debtUsd8 = 0n): number {
    return this.total === 0n ? 0 : Number((debtUsd8 * BPS) / this.total);
  }
}
