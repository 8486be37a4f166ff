import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { Clock } from '../domain/clock.js';
import { messageOf, RetryError } from '../domain/errors.js';
import { Events } from '../domain/events/events.js';
import { FEED_KINDS, type MarketFeeds } from '../domain/feed-kinds.js';
import { Metrics } from '../monitoring/metrics/metrics.js';
import type { MetricSource, Readings } from '../monitoring/metrics/metric-source.js';
import { FeedSurvey } from '../oracles/feed-survey.js';
import { FailurePolicy } from '../safety/index.js';
import { StateEngine } from '../state/state-engine.js';

const TICK_MS = 1_000;
/** The debts of a million positions take half a second to add up, so a minute is seldom enough. */
const LOOK_AGAIN_MS = 60_000;
const RETRY_MS = 10_000;
/** Feeds in one line of the log. */
const MOST_FEEDS = 20;
const BPS = 10_000;

/**
 * Knows which kinds of feeds each market depends on, and how much of its debt. It looks beside the passes:
 * after the first view, when the search for borrowers has ended in a market, and each minute.
 */
@Injectable()
export class FeedWatch implements MetricSource, OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private dueAtMs = 0;
  /** Markets in which borrowers were searched at the last look. */
  private searched: ReadonlySet<string> = new Set();
  /** The block of the view when a search was seen to have ended: the next view has what it found. */
  private endedAtBlock: number | undefined;
  private last: readonly MarketFeeds[] = [];
  /** By market, what was told last. */
  private readonly told = new Map<string, string>();

  constructor(
    private readonly state: StateEngine,
    private readonly survey: FeedSurvey,
    private readonly policy: FailurePolicy,
    private readonly events: Events,
    private readonly clock: Clock,
    private readonly config: ChimeraConfig,
    private readonly metrics: Metrics,
  ) {}

  /** Of the last look, in the order of the configuration; empty before the first. */
  get markets(): readonly MarketFeeds[] {
    return this.last;
  }

  onApplicationBootstrap(): void {
    this.metrics.readFrom(this);
    this.timer = setInterval(() => this.tick(), TICK_MS).unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  /** Called by the timer. */
  tick(): void {
    const { view } = this.state;
    if (!view || this.looking) return;
    const searching = this.searching();
    const { number } = view.block;
    if ([...this.searched].some((market) => !searching.has(market))) this.endedAtBlock ??= number;
    const isFound = this.endedAtBlock !== undefined && number > this.endedAtBlock;
    if (!isFound && this.clock.monotonicMs() < this.dueAtMs) return;
    this.looking = this.look(searching).then(() => {
      this.looking = undefined;
    });
  }

  readInto(readings: Readings): void {
    for (const { market, kinds } of this.last)
      for (const kind of FEED_KINDS) {
        readings.set('chimera_feeds', { market, kind }, kinds[kind].feeds);
        readings.set('chimera_feed_debt_ratio', { market, kind }, kinds[kind].debtBps / BPS);
      }
  }

  /** Never rejects. */
  private async look(searching: ReadonlySet<string>): Promise<void> {
    const { view } = this.state;
    if (!view) return;
    this.searched = searching;
    this.endedAtBlock = undefined;
    try {
      this.last = await this.survey.of(view);
      this.dueAtMs = this.clock.monotonicMs() + LOOK_AGAIN_MS;
      for (const market of this.last) this.tell(market, searching.has(market.market));
    } catch (error) {
      this.dueAtMs = this.clock.monotonicMs() + RETRY_MS;
      if (error instanceof RetryError)
        this.events.emit({ event: 'feeds-not-read', message: messageOf(error) });
      else await this.policy.failed(error, view.block.number);
    }
  }

  /** Once at the start, once when all borrowers are known, and whenever a feed is of another kind. */
  private tell(market: MarketFeeds, isSearched: boolean): void {
    if (market.feeds.length === 0) return;
    const feeds = market.feeds.map(({ address, of, kind }) => `${address ?? of} ${kind}`).toSorted();
    const news = `${String(isSearched)} ${feeds.join()}`;
    if (this.told.get(market.market) === news) return;
    this.told.set(market.market, news);
    const more = market.feeds.length - MOST_FEEDS;
    this.events.emit({
      ...{ event: 'feeds-found', market: market.market, block: market.block },
      ...{ debtUsd8: market.debtUsd8.toString(), kinds: market.kinds },
      feeds: market.feeds
        .slice(0, MOST_FEEDS)
        .map(({ of, kind, type, debtBps }) => ({ of, kind, ...(type !== undefined && { type }), debtBps })),
      ...(more > 0 && { more }),
    });
  }

  private searching(): ReadonlySet<string> {
    const { backfill } = this.state;
    return new Set(
      this.config.protocols.map(({ name }) => name).filter((name) => backfill.progressOf(name) !== undefined),
    );
  }
}
