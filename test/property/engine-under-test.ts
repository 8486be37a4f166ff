import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Devnet } from '../../devnet/index.js';
import { MemoryCache } from '../../src/cache/index.js';
import {
  CheckpointsRepository,
  createDataSource,
  Database,
  migrate,
  startEmbeddedPostgres,
} from '../../src/database/index.js';
import { WAD } from '../../src/domain/money.js';
import { PriceGuard } from '../../src/oracles/price-guard.js';
import { AaveV3Reader } from '../../src/protocols/aave-v3/aave-v3.reader.js';
import type { Chain } from '../../src/rpc/chain/chain.js';
import { Backfill } from '../../src/state/backfill.js';
import { CheckpointStore } from '../../src/state/checkpoint-store.js';
import { StateEngine } from '../../src/state/state-engine.js';
import { TrackedMarket, type HealthFactorLimits } from '../../src/state/tracked-market.js';
import { configOf } from '../../testing/picture.js';

const ABOVE_EVERY_HEALTH_FACTOR = 2n ** 255n;
/** The view holds everybody with debt. */
export const EVERYBODY: HealthFactorLimits = {
  decideBelowWad: ABOVE_EVERY_HEALTH_FACTOR,
  watchBelowWad: ABOVE_EVERY_HEALTH_FACTOR,
};
/** The view holds whom the bot may liquidate. */
export const LIQUIDATABLE: HealthFactorLimits = { decideBelowWad: WAD, watchBelowWad: (11n * WAD) / 10n };

/** A database, and the checkpoints in it, which outlive an engine as they outlive a process. */
export interface Checkpoints {
  /** As a process has it that just started. */
  open(): CheckpointStore;
  stop(): Promise<void>;
}

export async function startCheckpoints(): Promise<Checkpoints> {
  const directory = await mkdtemp(join(tmpdir(), 'chimera-property-'));
  await chmod(directory, 0o755); // PostgreSQL refuses root: another user has to reach its directory.
  const postgres = await startEmbeddedPostgres({ dataDir: join(directory, 'postgres') });
  const { host, port, user, password, database } = postgres;
  await migrate({ host, port, user, password, database });
  const dataSource = createDataSource({ host, port, user, password, database });
  await dataSource.initialize();
  const cache = new MemoryCache();
  const stores: CheckpointStore[] = [];
  return {
    open: () => {
      const store = new CheckpointStore(new CheckpointsRepository(new Database(dataSource)), cache);
      stores.push(store);
      return store;
    },
    stop: async () => {
      for (const store of stores) await store.settled();
      await dataSource.destroy();
      await postgres.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** An engine as the bot has it. */
export function engineOf(
  devnet: Devnet,
  chain: Chain,
  store: CheckpointStore,
  limits: HealthFactorLimits,
): StateEngine {
  const config = configOf(devnet);
  const markets = config.protocols.map(
    (protocol) => new TrackedMarket(chain, new AaveV3Reader(chain), new PriceGuard(config), protocol, limits),
  );
  const fromBlocks = new Map(config.protocols.map(({ name }) => [name, 0]));
  const { nativeUsdFeed } = config.oracles;
  return new StateEngine(chain, markets, store, new Backfill(store), { nativeUsdFeed, fromBlocks });
}
