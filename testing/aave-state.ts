import type { ChimeraConfig } from '../src/config/index.js';
import { toAddress } from '../src/domain/hex.js';
import { WAD } from '../src/domain/money.js';
import { FeedBook } from '../src/oracles/feed-book.js';
import { PriceGuard } from '../src/oracles/price-guard.js';
import type { AaveMarketView } from '../src/protocols/aave-v3/at-risk.js';
import { AaveV3Market, type HealthFactorLimits } from '../src/protocols/aave-v3/aave-v3-market.js';
import { AaveV3Reader } from '../src/protocols/aave-v3/aave-v3.reader.js';
import type { Chain } from '../src/rpc/chain/chain.js';
import { readAt } from '../src/rpc/chain/read.js';
import type { CheckpointStore } from '../src/state/checkpoint-store.js';
import { StateView } from '../src/state/state-view.js';
import { engineOver, type EngineOptions, type EngineParts } from './engine-over.js';

/** Above every health factor: the view holds all positions. */
export const ALL_POSITIONS: HealthFactorLimits = { decideBelowWad: 2n ** 255n, watchBelowWad: 2n ** 255n };
/** The view holds the positions that the bot may liquidate. */
export const LIQUIDATABLE: HealthFactorLimits = { decideBelowWad: WAD, watchBelowWad: (11n * WAD) / 10n };

/** What the state of one configured Aave market consists of. */
export interface AaveParts {
  readonly feeds: FeedBook;
  readonly market: AaveV3Market;
}

/** The parts as production puts them together. */
export function aaveParts(
  chain: Chain,
  config: ChimeraConfig,
  limits: HealthFactorLimits,
  reader = new AaveV3Reader(chain),
): AaveParts {
  const guard = new PriceGuard(config);
  const feeds = new FeedBook(chain, config.oracles.nativeUsdFeed, guard);
  const [protocol] = config.protocols;
  if (protocol?.kind !== 'aave-v3') throw new Error('the first market of the configuration is not Aave');
  return { feeds, market: new AaveV3Market({ chain, reader, feeds, guard }, protocol, limits) };
}

export interface AaveStateOptions extends EngineOptions {
  readonly limits: HealthFactorLimits;
}

/** A state engine over one Aave market. */
export type AaveState = AaveParts & EngineParts;

export function aaveState(
  chain: Chain,
  config: ChimeraConfig,
  checkpoints: CheckpointStore,
  { limits, ...options }: AaveStateOptions,
): AaveState {
  const parts = aaveParts(chain, config, limits);
  return { ...parts, ...engineOver(chain, parts.feeds, [parts.market], checkpoints, options) };
}

/** The view of these accounts at the latest block, without a database. */
export async function viewOfAccounts(
  { feeds, market }: AaveParts,
  chain: Chain,
  accounts: readonly string[],
): Promise<StateView> {
  const block = await chain.getBlock('latest');
  feeds.commitRange(await feeds.prepareRange(block));
  market.commitRange(await market.prepareRange(block, undefined, []), block);
  market.adopt(await market.readAccounts(accounts.map(toAddress), block.hash), [], undefined);
  const native = await readAt(chain, feeds.reads(), block.hash);
  const answers = await readAt(chain, market.reads(block), block.hash);
  return new StateView(
    block,
    new Map<string, unknown>([
      [feeds.name, feeds.view(native)],
      [market.name, market.view(answers)],
    ]),
  );
}

/** The view of the Aave market, for tests that look into it. */
export function aaveView(view: StateView, name = 'aave'): AaveMarketView {
  const market = {
    name,
    view: (): AaveMarketView => {
      throw new Error('only its name is used');
    },
  };
  return view.of(market);
}
