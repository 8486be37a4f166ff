import { setImmediate as nextTurn } from 'node:timers/promises';
import { Clock } from '../domain/clock.js';
import { DebtTally, type FeedNature, type MarketFeeds } from '../domain/feed-kinds.js';
import type { Address, Hash } from '../domain/hex.js';
import type { FeedBook } from '../oracles/feed-book.js';
import { feedNatures } from '../oracles/feed-natures.js';
import type { FeedSurvey } from '../oracles/feed-survey.js';
import type { Chain } from '../rpc/chain/chain.js';
import type { StateView } from '../state/state-view.js';
import type { LendingMarkets } from './lending-market.js';
import type { FeedsBehind } from './scan/feeds-behind.js';

/** Positions between two turns of the event loop: about a millisecond. */
const ROWS_A_TURN = 1_000;
/** An adapter may get another feed, and a proxy another aggregator, without a log that is followed. */
const ASK_AGAIN_MS = 3_600_000;

const UNKNOWN: FeedNature = { kind: 'unknown', type: undefined };

/** What a feed was when it was asked. */
interface Asked {
  readonly nature: FeedNature;
  /** The aggregator behind it, as far as logs tell. */
  readonly aggregator: Address | undefined;
  /** Monotonic milliseconds. */
  readonly atMs: number;
}

/** Asks what the feeds of all markets are, and adds up the debts behind them, a few positions at a time. */
export class MarketSurvey implements FeedSurvey {
  private asked: ReadonlyMap<Address, Asked> = new Map();

  constructor(
    private readonly chain: Chain,
    private readonly book: FeedBook,
    private readonly markets: LendingMarkets,
    private readonly clock: Clock = new Clock(),
  ) {}

  async of(view: StateView): Promise<readonly MarketFeeds[]> {
    const found = this.markets.all.map((market) => ({
      market: market.name,
      behind: market.feedsBehind(view.of(market)),
    }));
    const addresses = found.flatMap(({ behind }) => behind.feeds.flatMap(({ address }) => address ?? []));
    await this.ask([...new Set(addresses)], view.block.hash);
    const results: MarketFeeds[] = [];
    for (const { market, behind } of found) results.push(await this.tally(market, behind, view.block.number));
    return results;
  }

  /** Asks for the feeds that are new, that have another aggregator, or that were asked long ago. */
  private async ask(feeds: readonly Address[], block: Hash): Promise<void> {
    const atMs = this.clock.monotonicMs();
    const due = feeds.filter((feed) => {
      const known = this.asked.get(feed);
      return !known || atMs - known.atMs >= ASK_AGAIN_MS || known.aggregator !== this.book.aggregatorOf(feed);
    });
    const natures = await feedNatures(this.chain, due, block);
    this.asked = new Map(
      feeds.flatMap((feed) => {
        const nature = natures.get(feed);
        const one = nature
          ? { nature, aggregator: this.book.aggregatorOf(feed), atMs }
          : this.asked.get(feed);
        return one ? [[feed, one] as const] : [];
      }),
    );
  }

  private async tally(market: string, behind: FeedsBehind, block: number): Promise<MarketFeeds> {
    const natures = behind.feeds.map(({ address }) =>
      address === undefined ? UNKNOWN : (this.asked.get(address)?.nature ?? UNKNOWN),
    );
    const tally = new DebtTally(behind.feeds, natures);
    for (let row = 0; row < behind.rowCount; row++) {
      if (row % ROWS_A_TURN === ROWS_A_TURN - 1) await nextTurn();
      const position = behind.row(row);
      if (position) tally.add(position.debtUsd8, position.feeds);
    }
    return tally.end(market, block);
  }
}
