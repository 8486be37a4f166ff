import { mkdtemp, rm, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { demoBorrowers, startDevnet, type Devnet } from '../../devnet/index.js';
import { chainOf } from '../../test/harness/chain.js';
import { configOf } from '../../test/harness/picture.js';
import { MemoryCache } from '../cache/index.js';
import {
  CheckpointsRepository,
  createDataSource,
  Database,
  migrate,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '../database/index.js';
import { toAddress } from '../domain/hex.js';
import { PriceGuard } from '../oracles/price-guard.js';
import { AaveV3Reader } from '../protocols/aave-v3/aave-v3.reader.js';
import type { Chain } from '../rpc/chain.js';
import type { RpcPool } from '../rpc/rpc-pool.js';
import { CheckpointStore } from './checkpoint-store.js';
import { Reconciler } from './reconciler.js';
import { StateEngine } from './state-engine.js';
import type { StateView } from './state-view.js';
import { TrackedMarket } from './tracked-market.js';

let directory: string;
let postgres: EmbeddedPostgres;
let dataSource: DataSource;
/** Above every health factor. */
const EVERYBODY = 2n ** 255n;

let devnet: Devnet;
let chain: Chain;
let pool: RpcPool;
let clean: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'chimera-state-'));
  await chmod(directory, 0o755); // PostgreSQL refuses root: another user has to reach its directory.
  [postgres, devnet] = await Promise.all([
    startEmbeddedPostgres({ dataDir: join(directory, 'postgres') }),
    startDevnet(),
  ]);
  ({ chain, pool } = chainOf(devnet));
  await devnet.openPositions(demoBorrowers(12));
  const { host, port, user, password, database } = postgres;
  await migrate({ host, port, user, password, database });
  dataSource = createDataSource({ host, port, user, password, database });
  await dataSource.initialize();
});

beforeEach(async () => {
  clean = await devnet.snapshot();
});

afterEach(async () => {
  await devnet.revert(clean);
  await dataSource.query('TRUNCATE positions, checkpoints');
});

afterAll(async () => {
  await dataSource.destroy();
  pool.close();
  await devnet.stop();
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('the state engine', () => {
  it('is at one block after each head, and agrees with the chain there', async () => {
    const engine = engineWith(storeWith(new MemoryCache()));
    await start(engine);
    for (let step = 0; step < 3; step += 1) {
      await devnet.setPrice('WETH', 2_900n * 10n ** 8n - BigInt(step) * 10n ** 10n);
      const view = await engine.advance(await chain.getBlock('latest'));
      expect(view.block.hash).toBe((await chain.getBlock('latest')).hash);
      await expectAgreement(view);
    }
  });

  it('F15 reads everything again after a reorg, and knows borrowers that only the new chain has', async () => {
    const engine = engineWith(storeWith(new MemoryCache()));
    await start(engine);
    const before = await devnet.snapshot();
    await devnet.setPrice('WETH', 2_500n * 10n ** 8n);
    await engine.advance(await chain.getBlock('latest'));
    await devnet.revert(before);
    const [borrower = ''] = await devnet.openPositions([
      {
        collaterals: [{ symbol: 'WETH', amount: 10n ** 18n }],
        debts: [{ symbol: 'USDC', amount: 10n ** 9n }],
      },
    ]);
    const view = await engine.advance(await chain.getBlock('latest'));
    expect(view.markets[0]?.positions.has(toAddress(borrower))).toBe(true);
    await expectAgreement(view);
  });

  it('F14 stays where it is when a head comes late, and closes a gap by the logs of the range', async () => {
    const engine = engineWith(storeWith(new MemoryCache()));
    const first = await start(engine);
    await devnet.setPrice('WETH', 2_950n * 10n ** 8n);
    const late = await chain.getBlock('latest');
    await devnet.openPosition({
      collaterals: [{ symbol: 'WETH', amount: 10n ** 18n }],
      debts: [{ symbol: 'USDC', amount: 10n ** 9n }],
    });
    await devnet.mine(3);
    const view = await engine.advance(await chain.getBlock('latest'));
    expect(view.markets[0]?.positions.size).toBe((first.markets[0]?.positions.size ?? 0) + 1);
    await expectAgreement(view);
    expect((await engine.advance(late)).block.hash).toBe(view.block.hash);
  });

  it('starts again without reading the history, and misses nobody who borrowed meanwhile', async () => {
    const cache = new MemoryCache();
    await start(engineWith(storeWith(cache)));
    const [borrower = ''] = await devnet.openPositions([
      {
        collaterals: [{ symbol: 'WETH', amount: 10n ** 18n }],
        debts: [{ symbol: 'USDC', amount: 10n ** 9n }],
      },
    ]);
    const view = await start(engineWith(storeWith(cache), Number.MAX_SAFE_INTEGER));
    expect(view.markets[0]?.positions.size).toBe(13);
    expect(view.markets[0]?.positions.has(toAddress(borrower))).toBe(true);
    await expectAgreement(view);
  });
});

describe('the checkpoint store', () => {
  const market = 'aave';
  const borrower = toAddress('0x00000000000000000000000000000000000000aa');

  it('keeps borrowers that the database did not take, for the next write', async () => {
    const store = storeWith(new MemoryCache());
    const block = await chain.getBlock('latest');
    await dataSource.query('ALTER TABLE positions RENAME TO away');
    store.noteSoon(market, [borrower], block);
    await store.settled();
    await dataSource.query('ALTER TABLE away RENAME TO positions');
    store.noteSoon(market, [], { ...block, number: block.number + 1 });
    await store.settled();
    expect((await storeWith(new MemoryCache()).load(market)).borrowers).toEqual([borrower]);
  });

  it('believes a cached block only beside the checkpoint it belongs to', async () => {
    const cache = new MemoryCache();
    const block = { ...(await chain.getBlock('latest')), number: 41 };
    const store = storeWith(cache);
    await store.save(market, [borrower], block);
    store.noteSoon(market, [], { ...block, number: 45 });
    await store.settled();
    expect((await storeWith(cache).load(market)).upTo).toBe(45);
    // A database restored from a backup: the borrowers between its checkpoint and the cached block are unknown to it.
    await dataSource.query(`UPDATE checkpoints SET block_number = 30, block_hash = '0x${'ab'.repeat(32)}'`);
    expect((await storeWith(cache).load(market)).upTo).toBe(30);
  });
});

function storeWith(cache: MemoryCache): CheckpointStore {
  return new CheckpointStore(new CheckpointsRepository(new Database(dataSource)), cache);
}

function engineWith(store: CheckpointStore, fromBlock = 0): StateEngine {
  const config = configOf(devnet);
  const markets = config.protocols.map(
    (protocol) =>
      new TrackedMarket(chain, new AaveV3Reader(chain), new PriceGuard(config), protocol, EVERYBODY),
  );
  const fromBlocks = new Map(config.protocols.map(({ name }) => [name, fromBlock]));
  return new StateEngine(chain, markets, store, { nativeUsdFeed: config.oracles.nativeUsdFeed, fromBlocks });
}

async function start(engine: StateEngine): Promise<StateView> {
  return engine.start(await chain.getBlock('latest'), () => undefined);
}

async function expectAgreement(view: StateView): Promise<void> {
  expect(await new Reconciler(chain).divergences(view)).toEqual([]);
}
