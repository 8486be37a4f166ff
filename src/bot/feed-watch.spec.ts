import { beforeEach, describe, expect, it } from 'vitest';
import { aBlock } from '../../testing/builders/blocks.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { standIn } from '../../testing/fakes/stand-in.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import type { ChimeraConfig } from '../config/index.js';
import { RetryError } from '../domain/errors.js';
import type { FeedKind, MarketFeeds } from '../domain/feed-kinds.js';
import { MetricBook } from '../monitoring/metrics/metric-book.js';
import { Readings } from '../monitoring/metrics/metric-source.js';
import { Metrics } from '../monitoring/metrics/metrics.js';
import type { FeedSurvey } from '../oracles/feed-survey.js';
import type { FailurePolicy } from '../safety/index.js';
import type { Backfill } from '../state/backfill.js';
import type { StateEngine } from '../state/state-engine.js';
import { StateView } from '../state/state-view.js';
import { FeedWatch } from './feed-watch.js';

const MINUTE_MS = 60_000;

function feedsWith(kind: FeedKind, count = 1): MarketFeeds {
  const none = { feeds: 0, debtBps: 0 };
  return {
    ...{ market: 'aave', block: 10, debtUsd8: 5n },
    kinds: {
      ...{ svr: none, 'oev-wrapper': none, unknown: none, public: none },
      [kind]: { feeds: count, debtBps: 10_000 },
    },
    feeds: Array.from({ length: count }, (_, index) => ({
      ...{ of: `token ${index}`, address: undefined, kind, type: 'DualAggregator 1.0.0', debtBps: 10_000 },
    })),
  };
}

describe('the watch of the feeds', () => {
  let clock: TestClock;
  let events: RecordedEvents;
  let view: StateView | undefined;
  let isSearching: boolean;
  let looks: number;
  let found: MarketFeeds;
  let failure: Error | undefined;
  let halted: unknown[];
  let watch: FeedWatch;

  beforeEach(() => {
    clock = new TestClock();
    events = new RecordedEvents();
    view = new StateView(aBlock(10), new Map());
    isSearching = false;
    looks = 0;
    found = feedsWith('svr');
    failure = undefined;
    halted = [];
    const state = {
      get view() {
        return view;
      },
      backfill: standIn<Backfill>('backfill', {
        progressOf: () => (isSearching ? { fromBlock: 0, atBlock: 1, toBlock: 2, unread: 0 } : undefined),
      }),
    };
    watch = new FeedWatch(
      standIn<StateEngine>('state', state),
      standIn<FeedSurvey>('survey', {
        of: () => {
          looks += 1;
          return failure ? Promise.reject(failure) : Promise.resolve([found]);
        },
      }),
      standIn<FailurePolicy>('policy', {
        failed: (error) => {
          halted.push(error);
          return Promise.resolve('halt');
        },
      }),
      events,
      clock,
      standIn<ChimeraConfig>('config', {
        protocols: [standIn<ChimeraConfig['protocols'][number]>('aave', { name: 'aave' })],
      }),
      new Metrics(new MetricBook(), clock, standIn<ChimeraConfig>('config', {})),
    );
  });

  const tick = async (): Promise<void> => {
    watch.tick();
    await watch.onModuleDestroy();
  };
  const later = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await tick();
  };

  it('looks after the first view, and again each minute', async () => {
    view = undefined;
    await tick();
    expect([looks, watch.markets]).toEqual([0, []]);
    view = new StateView(aBlock(11), new Map());
    await tick();
    expect([looks, watch.markets]).toEqual([1, [found]]);
    await later(MINUTE_MS - 1);
    expect(looks).toBe(1);
    await later(1);
    expect(looks).toBe(2);
  });

  it('tells the kinds at the start, and again only when a feed is of another kind', async () => {
    await tick();
    await later(MINUTE_MS);
    expect(events.named('feeds-found')).toEqual([
      {
        ...{ event: 'feeds-found', market: 'aave', block: 10, debtUsd8: '5', kinds: found.kinds },
        feeds: [{ of: 'token 0', kind: 'svr', type: 'DualAggregator 1.0.0', debtBps: 10_000 }],
      },
    ]);
    found = feedsWith('public');
    await later(MINUTE_MS);
    expect(events.named('feeds-found')).toHaveLength(2);
  });

  it('looks and tells again at the first view after all borrowers are known', async () => {
    isSearching = true;
    await tick();
    await later(1_000);
    expect(looks).toBe(1);
    isSearching = false;
    await later(1_000);
    expect(looks).toBe(1);
    view = new StateView(aBlock(11), new Map());
    await later(1_000);
    expect(looks).toBe(2);
    expect(events.named('feeds-found')).toHaveLength(2);
    await later(1_000);
    expect(looks).toBe(2);
  });

  it('tells nothing of a market that has no feeds yet', async () => {
    found = { ...feedsWith('svr', 0), debtUsd8: 0n };
    await tick();
    expect(events.named('feeds-found')).toEqual([]);
  });

  it('names twenty feeds in a line, and counts the others', async () => {
    found = feedsWith('svr', 23);
    await tick();
    const [told] = events.named('feeds-found');
    expect([told?.feeds.length, told?.more]).toEqual([20, 3]);
  });

  it('keeps what it knows while the chain cannot be read, says so, and tries again in ten seconds', async () => {
    await tick();
    failure = new RetryError('no endpoint serves');
    await later(MINUTE_MS);
    expect(watch.markets).toEqual([found]);
    expect(events.named('feeds-not-read')).toEqual([
      { event: 'feeds-not-read', message: 'no endpoint serves' },
    ]);
    failure = undefined;
    await later(10_000);
    expect(looks).toBe(3);
    expect(halted).toEqual([]);
  });

  it('gives an error that is a bug to the policy of failures', async () => {
    failure = new TypeError('a bug');
    await tick();
    expect(halted).toEqual([failure]);
  });

  it('gives the counts and shares of each kind as metrics', async () => {
    await tick();
    const readings = new Readings();
    watch.readInto(readings);
    const of = (kind: FeedKind, value: number): unknown => ({ labels: { market: 'aave', kind }, value });
    expect(readings.of('chimera_feeds')).toContainEqual(of('svr', 1));
    expect(readings.of('chimera_feed_debt_ratio')).toContainEqual(of('svr', 1));
    expect(readings.of('chimera_feed_debt_ratio')).toContainEqual(of('public', 0));
  });
});
