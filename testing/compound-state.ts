import type { ChimeraConfig } from '../src/config/index.js';
import type { Address } from '../src/domain/hex.js';
import { FeedBook } from '../src/oracles/feed-book.js';
import { PriceGuard } from '../src/oracles/price-guard.js';
import {
  CompoundV2Market,
  type HealthFactorLimits,
} from '../src/protocols/compound-v2/compound-v2-market.js';
import { CompoundV2Reader } from '../src/protocols/compound-v2/compound-v2.reader.js';
import type { Chain } from '../src/rpc/chain/chain.js';
import type { CheckpointStore } from '../src/state/checkpoint-store.js';
import { engineOver, type EngineParts } from './engine-over.js';

/** A state engine over the markets of one Comptroller. */
export type CompoundState = EngineParts & { readonly market: CompoundV2Market };

export function compoundState(
  chain: Chain,
  config: ChimeraConfig,
  comptroller: Address,
  checkpoints: CheckpointStore,
  limits: HealthFactorLimits,
): CompoundState {
  const guard = new PriceGuard(config);
  const feeds = new FeedBook(chain, config.oracles.nativeUsdFeed, guard);
  const settings = { name: 'compound', comptroller, fromBlock: 0 };
  const sources = { chain, reader: new CompoundV2Reader(chain), feeds, guard };
  const market = new CompoundV2Market(sources, settings, limits);
  return { market, ...engineOver(chain, feeds, [market], checkpoints) };
}
