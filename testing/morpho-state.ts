import type { Devnet } from '../devnet/index.js';
import type { ChimeraConfig } from '../src/config/index.js';
import { toAddress } from '../src/domain/hex.js';
import { FeedBook } from '../src/oracles/feed-book.js';
import { PriceGuard } from '../src/oracles/price-guard.js';
import type { MorphoBlueView } from '../src/protocols/morpho-blue/at-risk.js';
import type { MorphoBlueSettings } from '../src/protocols/morpho-blue/followed-market.js';
import { MorphoBlueMarket } from '../src/protocols/morpho-blue/morpho-blue-market.js';
import { TokenPrices } from '../src/protocols/token-prices.js';
import type { Chain } from '../src/rpc/chain/chain.js';
import type { CheckpointStore } from '../src/state/checkpoint-store.js';
import type { StateView } from '../src/state/state-view.js';
import type { HealthFactorLimits } from '../src/protocols/aave-v3/aave-v3-market.js';
import { engineOver, type EngineParts } from './engine-over.js';

/** The Morpho Blue of the local chain, with the USD feed of each token. */
export function morphoSettings({ addresses, tokens }: Devnet): MorphoBlueSettings {
  return {
    name: 'morpho',
    morpho: toAddress(addresses.morpho),
    adaptiveCurveIrm: toAddress(addresses.morphoIrm),
    feeds: Object.values(tokens).map(({ address, feed }) => ({
      token: toAddress(address),
      feed: toAddress(feed),
    })),
    ...{ markets: [], denyMarkets: [], loanTokens: [], minMarketUsd8: 0n, oracles: 'any' },
  };
}

/** A state engine over one Morpho Blue. */
export type MorphoState = EngineParts & { readonly market: MorphoBlueMarket };

export function morphoState(
  chain: Chain,
  config: ChimeraConfig,
  settings: MorphoBlueSettings,
  checkpoints: CheckpointStore,
  limits: HealthFactorLimits,
  tokenPrices = new TokenPrices(chain, []),
): MorphoState {
  const guard = new PriceGuard(config);
  const feeds = new FeedBook(chain, config.oracles.nativeUsdFeed, guard);
  const market = new MorphoBlueMarket({ chain, feeds, guard, tokenPrices }, settings, limits);
  return { market, ...engineOver(chain, feeds, [market], checkpoints) };
}

/** The view of Morpho Blue, for tests that look into it. */
export function morphoView(view: StateView): MorphoBlueView {
  const market = {
    name: 'morpho',
    view: (): MorphoBlueView => {
      throw new Error('only its name is used');
    },
  };
  return view.of(market);
}
