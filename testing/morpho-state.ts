import type { Devnet } from '../devnet/index.js';
import type { ChimeraConfig } from '../src/config/index.js';
import { Clock } from '../src/domain/clock.js';
import { toAddress } from '../src/domain/hex.js';
import { LenderBook } from '../src/liquidity/lenders/lender-book.js';
import { PoolBook } from '../src/liquidity/pool-book.js';
import { PoolReader } from '../src/liquidity/pool-reader.js';
import { WrapperBook } from '../src/liquidity/wrappers/wrapper-book.js';
import { FeedBook } from '../src/oracles/feed-book.js';
import { PriceGuard } from '../src/oracles/price-guard.js';
import type { MorphoBlueView } from '../src/protocols/morpho-blue/at-risk.js';
import type { MorphoBlueSettings } from '../src/protocols/morpho-blue/followed-market.js';
import { MorphoBlueMarket } from '../src/protocols/morpho-blue/morpho-blue-market.js';
import { TokenPrices } from '../src/protocols/token-prices.js';
import type { Chain } from '../src/rpc/chain/chain.js';
import type { CheckpointStore } from '../src/state/checkpoint-store.js';
import { DoubtedPositions } from '../src/state/doubted-positions.js';
import { StateEngine } from '../src/state/state-engine.js';
import type { StateView } from '../src/state/state-view.js';
import type { HealthFactorLimits } from '../src/protocols/aave-v3/aave-v3-market.js';
import { HeldBackfill } from './fakes/held-backfill.js';
import { RecordedEvents } from './fakes/recorded-events.js';

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

/** A state engine over one Morpho Blue, with a backfill that waits for the test. */
export interface MorphoState {
  readonly engine: StateEngine;
  readonly market: MorphoBlueMarket;
  readonly backfill: HeldBackfill;
  readonly doubts: DoubtedPositions;
}

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
  const [events, clock] = [new RecordedEvents(), new Clock()];
  const backfill = new HeldBackfill(checkpoints, events, clock, chain);
  const doubts = new DoubtedPositions(clock);
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
    { clock, doubts, delivered: undefined },
  );
  return { engine, market, backfill, doubts };
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
