import { Clock } from '../src/domain/clock.js';
import { LenderBook } from '../src/liquidity/lenders/lender-book.js';
import { PoolBook } from '../src/liquidity/pool-book.js';
import { PoolReader } from '../src/liquidity/pool-reader.js';
import { WrapperBook } from '../src/liquidity/wrappers/wrapper-book.js';
import type { FeedBook } from '../src/oracles/feed-book.js';
import type { Chain } from '../src/rpc/chain/chain.js';
import type { DeliveredLogs } from '../src/state/block-logs.js';
import type { CheckpointStore } from '../src/state/checkpoint-store.js';
import { DoubtedPositions } from '../src/state/doubted-positions.js';
import type { FollowedAccounts } from '../src/state/followed.js';
import { StateEngine } from '../src/state/state-engine.js';
import { HeldBackfill } from './fakes/held-backfill.js';
import { RecordedEvents } from './fakes/recorded-events.js';

export interface EngineOptions {
  /** Of every market. */
  readonly fromBlock?: number;
  readonly clock?: Clock;
  readonly events?: RecordedEvents;
  readonly delivered?: DeliveredLogs | undefined;
}

/** A state engine, with a backfill that waits for the test. */
export interface EngineParts {
  readonly engine: StateEngine;
  readonly backfill: HeldBackfill;
  readonly doubts: DoubtedPositions;
}

/** A state engine over these markets and feeds, and over no pool. */
export function engineOver(
  chain: Chain,
  feeds: FeedBook,
  markets: readonly FollowedAccounts[],
  checkpoints: CheckpointStore,
  options: EngineOptions = {},
): EngineParts {
  const { fromBlock = 0, clock = new Clock(), events = new RecordedEvents(), delivered } = options;
  const backfill = new HeldBackfill(checkpoints, events, clock, chain);
  const doubts = new DoubtedPositions(clock);
  // Without factories: it asks for nothing.
  const pools = new PoolBook(new PoolReader(chain, []), { minPoolUsd8: 0n, hubs: [] }, events, clock);
  const parts = {
    before: [feeds, pools, new LenderBook([], clock), new WrapperBook([], clock)],
    markets: markets.map((market) => ({ market, fromBlock })),
  };
  const watch = { clock, doubts, delivered };
  const engine = new StateEngine(chain, parts, checkpoints, backfill, chain.blockTime, watch);
  return { engine, backfill, doubts };
}
