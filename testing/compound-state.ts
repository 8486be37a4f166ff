import type { ChimeraConfig } from '../src/config/index.js';
import { Clock } from '../src/domain/clock.js';
import { LenderBook } from '../src/liquidity/lenders/lender-book.js';
import { PoolBook } from '../src/liquidity/pool-book.js';
import { PoolReader } from '../src/liquidity/pool-reader.js';
import { WrapperBook } from '../src/liquidity/wrappers/wrapper-book.js';
import { FeedBook } from '../src/oracles/feed-book.js';
import { PriceGuard } from '../src/oracles/price-guard.js';
import {
  CompoundV2Market,
  type HealthFactorLimits,
} from '../src/protocols/compound-v2/compound-v2-market.js';
import { CompoundV2Reader } from '../src/protocols/compound-v2/compound-v2.reader.js';
import type { Chain } from '../src/rpc/chain/chain.js';
import type { CheckpointStore } from '../src/state/checkpoint-store.js';
import { DoubtedPositions } from '../src/state/doubted-positions.js';
import { StateEngine } from '../src/state/state-engine.js';
import type { Address } from '../src/domain/hex.js';
import { HeldBackfill } from './fakes/held-backfill.js';
import { RecordedEvents } from './fakes/recorded-events.js';

/** A state engine over the markets of one Comptroller, with a backfill that waits for the test. */
export interface CompoundState {
  readonly market: CompoundV2Market;
  readonly engine: StateEngine;
  readonly backfill: HeldBackfill;
  readonly doubts: DoubtedPositions;
}

export function compoundState(
  chain: Chain,
  config: ChimeraConfig,
  comptroller: Address,
  checkpoints: CheckpointStore,
  limits: HealthFactorLimits,
): CompoundState {
  const [events, clock] = [new RecordedEvents(), new Clock()];
  const guard = new PriceGuard(config);
  const feeds = new FeedBook(chain, config.oracles.nativeUsdFeed, guard);
  const settings = { name: 'compound', comptroller, fromBlock: 0 };
  const market = new CompoundV2Market(
    { chain, reader: new CompoundV2Reader(chain), feeds, guard },
    settings,
    limits,
  );
  const backfill = new HeldBackfill(checkpoints, events, clock, chain);
  const doubts = new DoubtedPositions(clock);
  // Without factories: it asks for nothing.
  const pools = new PoolBook(new PoolReader(chain, []), { minPoolUsd8: 0n, hubs: [] }, events, clock);
  const engine = new StateEngine(
    chain,
    {
      before: [feeds, pools, new LenderBook([], clock), new WrapperBook([], clock)],
      markets: [{ market, fromBlock: 0 }],
    },
    checkpoints,
    backfill,
    chain.blockTime,
    { clock, doubts },
  );
  return { market, engine, backfill, doubts };
}
