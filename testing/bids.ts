import { BidBook } from '../src/bids/bid-book.js';
import { ChainTips } from '../src/bids/chain-tips.js';
import type { ChimeraConfig } from '../src/config/index.js';
import { BidsRepository, type Database } from '../src/database/index.js';
import type { BidModel } from '../src/domain/bid.js';
import { Clock } from '../src/domain/clock.js';
import { USD8 } from '../src/domain/money.js';
import type { RpcPool } from '../src/rpc/endpoints/rpc-pool.js';
import { RecordedEvents } from './fakes/recorded-events.js';
import { standIn } from './fakes/stand-in.js';

/** The shares and the floor of the default configuration. */
export const BID_POLICY = { minProfitUsd8: 5n * USD8, baseBribeBps: 1_500, maxBribeBps: 4_000 };

export interface BidBookOptions {
  readonly model?: BidModel;
  readonly events?: RecordedEvents;
  /** Default: the tips of the chain are not known. */
  readonly pool?: RpcPool;
}

/** Bids that learn from the rows of this database. */
export function bidBookOf(
  database: Database,
  { model = 'by-size', events, pool }: BidBookOptions = {},
): BidBook {
  const planner = { ...BID_POLICY, slippageBps: 100, maxBlockGasShareBps: 2_500, bidModel: model };
  const config = standIn<ChimeraConfig>('config', { planner, network: { name: 'devnet', chainId: 31_337 } });
  const tips = new ChainTips(pool ?? standIn<RpcPool>('pool', {}), new Clock(), config);
  return new BidBook(new BidsRepository(database), tips, events ?? new RecordedEvents(), config);
}
