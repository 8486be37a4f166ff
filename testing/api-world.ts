import type { BotStatus } from '../src/bot/bot-status.js';
import type { DatabaseStatus } from '../src/bot/database-watch.js';
import type { BidReview, NewOperatorAction } from '../src/database/index.js';
import type { Head } from '../src/domain/block.js';
import type { MarketFeeds } from '../src/domain/feed-kinds.js';
import type { NearPosition } from '../src/domain/near-position.js';
import { INITIAL_SAFETY, type SafetyStatus } from '../src/domain/safety.js';
import { aSpending } from './builders/allowance.js';

/** The state of the bot and of the chain as the API reads it. A test may change it. */
export interface World {
  bot: BotStatus;
  database: DatabaseStatus;
  /** Happens while the chain is asked what is in flight. */
  whileAsked: () => Promise<unknown>;
  /** Whether a pass of the bot runs. */
  inPass: boolean;
  /** Of the markets. */
  feeds: readonly MarketFeeds[];
  safety: SafetyStatus;
  head: Head | undefined;
  dailyVolumeUsd8: bigint;
  /** Those near the edge, the lowest first. */
  near: readonly NearPosition[];
  /** The rows of the audit trail that no halt or resume has written. */
  readonly actions: NewOperatorAction[];
  /** Of the share that is bid. */
  reviews: BidReview[];
  /** What a query of the database rejects with. */
  databaseError: Error | undefined;
  /** Whether queries of the database never answer. */
  databaseHangs: boolean;
  /** What an unforeseen bug throws in the executions route. */
  bug: Error | undefined;
}

export function newWorld(): World {
  const timestamp = Math.floor(Date.now() / 1000) - 2;
  return {
    bot: {
      phase: 'running',
      mode: 'dry-run',
      operator: `0x${'5e'.repeat(20)}`,
      lease: { role: 'dry-run', holder: undefined, epoch: undefined },
      head: { number: 100, hash: `0x${'aa'.repeat(32)}`, timestamp },
      sinceLastPassMs: 1_200,
      failures: {
        failedInARow: 0,
        failingSinceMs: undefined,
        runningSinceMs: undefined,
        lastError: undefined,
        serious: false,
      },
      positions: 50,
      watched: 5,
      waitingHeads: 0,
      backfill: [{ market: 'aave', fromBlock: 1, atBlock: 60, toBlock: 100, unread: 7 }],
      incomplete: [],
      refused: [],
      coverage: [],
      setAside: [],
      liquidatable: 3,
      inFlight: 1,
      operatorBalanceWei: 10n ** 18n,
      spending: aSpending(),
      counters: {
        passes: 9,
        planned: 4,
        sent: 3,
        succeeded: 2,
        failed: 0,
        divergences: 0,
        passErrors: 1,
      },
      outcomes: {
        overall: {
          counts: { won: 3, lost: 1, stale: 2, refused: 1, malfunction: 0 },
          winRateBps: 7_500,
          lossesWei: 10n ** 15n,
          lossesUsd8: 250_000_000n,
        },
        last24h: {
          counts: { won: 0, lost: 0, stale: 0, refused: 0, malfunction: 0 },
          winRateBps: undefined,
          lossesWei: 0n,
          lossesUsd8: 0n,
        },
        rates: {
          ...{ sample: 4, inclusionBps: 7_500, ownSample: 3, ownInclusionBps: 10_000, won: 3 },
          accuracyBps: 9_800,
        },
        maxInFlight: 2,
        bidShareBps: 7_500,
        bids: { model: 'by-size', shareBps: undefined, levels: [], chain: undefined },
      },
      nativePrice: { ageSeconds: 600, isKept: true },
      skipped: { 'profit-below-floor': 2 },
    },
    whileAsked: () => Promise.resolve(),
    inPass: false,
    database: { awayForMs: 0, latencyMs: 3, waiting: 0, inJournal: 0, dropped: 0, safetyChanges: 0 },
    feeds: [],
    safety: { ...INITIAL_SAFETY, sinceMs: 0 },
    head: {
      number: 100,
      hash: `0x${'aa'.repeat(32)}`,
      parentHash: `0x${'a9'.repeat(32)}`,
      timestamp,
      baseFeePerGas: 7n,
      receivedAtMs: performance.now(),
    },
    dailyVolumeUsd8: 0n,
    near: [],
    actions: [],
    reviews: [],
    databaseError: undefined,
    databaseHangs: false,
    bug: undefined,
  };
}
