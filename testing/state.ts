import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { demoBorrowers, startDevnet, type Devnet } from '../devnet/index.js';
import { configOf } from './picture.js';
import { MemoryCache } from '../src/cache/index.js';
import {
  CheckpointsRepository,
  createDataSource,
  Database,
  migrate,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '../src/database/index.js';
import { toAddress, type Address } from '../src/domain/hex.js';
import { Secret } from '../src/domain/secret.js';
import { PriceGuard } from '../src/oracles/price-guard.js';
import { AaveV3Reader } from '../src/protocols/aave-v3/aave-v3.reader.js';
import { Chain } from '../src/rpc/chain/chain.js';
import { RpcError } from '../src/rpc/rpc-errors.js';
import {
  RpcPool,
  type BatchAnswers,
  type BatchOptions,
  type RpcCall,
} from '../src/rpc/endpoints/rpc-pool.js';
import { Backfill } from '../src/state/backfill.js';
import { CheckpointStore } from '../src/state/checkpoint-store.js';
import { Reconciler } from '../src/state/reconciler.js';
import type { Ears } from '../src/state/block-logs.js';
import { StateEngine } from '../src/state/state-engine.js';
import type { StateView } from '../src/state/state-view.js';
import { TrackedMarket, type HealthFactorLimits } from '../src/state/tracked-market.js';

/** Above every health factor. */
const EVERYBODY = 2n ** 255n;

export interface EngineSettings {
  readonly cache?: MemoryCache;
  readonly fromBlock?: number;
  readonly limits?: HealthFactorLimits;
  /** Of another node than the local chain's own. */
  readonly archiveUrl?: string;
  readonly ears?: Ears;
}

/** What one process has of the state: another one with the same database is a restart. */
export interface Engine {
  readonly engine: StateEngine;
  readonly store: CheckpointStore;
  readonly chain: Chain;
  readonly pool: RpcPool;
  /** Starts at the latest block; without its backfill only what was saved is known. */
  start(): Promise<StateView>;
  /** Starts, and finds everybody. */
  startWhole(): Promise<StateView>;
  /** To the latest block. */
  advance(): Promise<StateView>;
  /** JSON-RPC calls that left through the pool since the last question. */
  calls(): number;
  /** Lets the n-th call from now on, and all after it, fail as a node does that is away; undefined: none. */
  failAfter(calls: number | undefined): void;
  /** Lets every question for logs fail. */
  failLogs(fail: boolean): void;
  close(): Promise<void>;
}

/** Counts the calls, and lets them fail. */
class WatchedPool extends RpcPool {
  asked = 0;
  /** Until all fail. */
  callsLeft: number | undefined;
  failLogs = false;

  override call<T>(...ask: Parameters<typeof RpcPool.prototype.call<T>>): Promise<T> {
    const [method] = ask;
    return this.watch([method], () => super.call<T>(...ask));
  }

  override batchAs<const Calls extends readonly RpcCall<unknown>[], T>(
    calls: Calls,
    combine: (answers: BatchAnswers<Calls>) => T,
    options?: BatchOptions,
  ): Promise<T> {
    const methods = calls.map(({ method }) => method);
    return this.watch(methods, () => super.batchAs(calls, combine, options));
  }

  private watch<T>(methods: readonly string[], ask: () => Promise<T>): Promise<T> {
    this.asked += methods.length;
    if (this.callsLeft !== undefined) this.callsLeft -= 1;
    const fails = (this.callsLeft ?? 0) < 0 || (this.failLogs && methods.includes('eth_getLogs'));
    return fails ? Promise.reject(new RpcError('timeout', 'primary', 'no answer')) : ask();
  }
}

/** A local chain, and a database of its own. */
export class StateBench {
  private constructor(
    readonly devnet: Devnet,
    readonly dataSource: DataSource,
    private readonly postgres: EmbeddedPostgres,
    private readonly directory: string,
  ) {}

  static async start(): Promise<StateBench> {
    const directory = await mkdtemp(join(tmpdir(), 'chimera-state-'));
    await chmod(directory, 0o755); // PostgreSQL refuses root: another user has to reach its directory.
    const [postgres, devnet] = await Promise.all([
      startEmbeddedPostgres({ dataDir: join(directory, 'postgres') }),
      startDevnet(),
    ]);
    const { host, port, user, password, database } = postgres;
    await migrate({ host, port, user, password, database });
    const dataSource = createDataSource({ host, port, user, password, database });
    await dataSource.initialize();
    return new StateBench(devnet, dataSource, postgres, directory);
  }

  engine(settings: EngineSettings = {}): Engine {
    const { cache = new MemoryCache(), fromBlock = 0, archiveUrl, ears } = settings;
    const { limits = { decideBelowWad: EVERYBODY, watchBelowWad: EVERYBODY } } = settings;
    const config = configOf(this.devnet);
    const pool = new WatchedPool({
      chainId: this.devnet.chainId,
      primary: { http: new Secret(this.devnet.rpcUrl) },
      archive: archiveUrl === undefined ? undefined : { http: new Secret(archiveUrl) },
    });
    const chain = new Chain(pool);
    const store = new CheckpointStore(new CheckpointsRepository(new Database(this.dataSource)), cache);
    const engine = new StateEngine(
      chain,
      config.protocols.map(
        (protocol) =>
          new TrackedMarket(chain, new AaveV3Reader(chain), new PriceGuard(config), protocol, limits),
      ),
      store,
      new Backfill(store),
      {
        nativeUsdFeed: config.oracles.nativeUsdFeed,
        fromBlocks: new Map(config.protocols.map(({ name }) => [name, fromBlock])),
      },
      ears,
    );
    const start = async (): Promise<StateView> => engine.start(await chain.getBlock('latest'));
    let before = 0;
    return {
      engine,
      store,
      chain,
      pool,
      start,
      startWhole: async () => {
        await start();
        await engine.backfill.run(engine.targets, ignore, ignore, new AbortController().signal);
        return viewOf(engine);
      },
      advance: async () => engine.advance(await chain.getBlock('latest')),
      calls: () => {
        const since = pool.asked - before;
        before += since;
        return since;
      },
      failLogs: (fail) => {
        pool.failLogs = fail;
      },
      failAfter: (calls) => {
        pool.callsLeft = calls === undefined ? undefined : calls - 1;
      },
      close: async () => {
        await store.settled();
        pool.close();
      },
    };
  }

  async stop(): Promise<void> {
    await this.dataSource.destroy();
    await this.devnet.stop();
    await this.postgres.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}

export function viewOf(engine: StateEngine): StateView {
  if (!engine.view) throw new Error('the engine has no view yet');
  return engine.view;
}

/** What the chain says otherwise, of everybody. */
export async function disagreements({ chain, engine }: Engine): Promise<unknown[]> {
  const { compared, divergences, wrongPrices } = await new Reconciler(chain).compare(viewOf(engine), engine);
  if (compared < engine.positionCount) throw new Error(`only ${compared} positions were compared`);
  return [...divergences, ...wrongPrices];
}

export function ignore(): void {
  // Nobody listens.
}

export const BORROWERS = 12;

export interface StateSpec {
  readonly bench: StateBench;
  /** Closed after the test. */
  engineOf(settings?: EngineSettings): Engine;
  /** As {@link engineOf}, started, and its backfill run to the end. */
  whole(settings?: EngineSettings): Promise<Engine>;
  /** A new borrower, in a block of his own. @param times of a thousand dollars */
  borrow(times?: bigint): Promise<Address>;
}

/** A chain with {@link BORROWERS}, as it was before each test, and an empty database: for the specs of one file. */
export function stateSpec(): StateSpec {
  let bench: StateBench | undefined;
  let clean = '';
  let open: Engine[] = [];
  const started = (): StateBench => {
    if (!bench) throw new Error('the chain is not there yet');
    return bench;
  };
  beforeAll(async () => {
    bench = await StateBench.start();
    await bench.devnet.openPositions(demoBorrowers(BORROWERS));
  });
  beforeEach(async () => {
    clean = await started().devnet.snapshot();
    open = [];
  });
  afterEach(async () => {
    for (const engine of open) await engine.close();
    await started().devnet.revert(clean);
    await started().dataSource.query('TRUNCATE positions, checkpoints');
  });
  afterAll(async () => {
    await bench?.stop();
  });
  const engineOf = (settings: EngineSettings = {}): Engine => {
    const one = started().engine(settings);
    open.push(one);
    return one;
  };
  return {
    get bench() {
      return started();
    },
    engineOf,
    whole: async (settings = {}) => {
      const one = engineOf(settings);
      await one.startWhole();
      return one;
    },
    borrow: async (times = 1n) => {
      const collaterals = [{ symbol: 'WETH' as const, amount: 10n ** 18n }];
      const debts = [{ symbol: 'USDC' as const, amount: times * 10n ** 9n }];
      return toAddress(await started().devnet.openPosition({ collaterals, debts }));
    },
  };
}

export async function backfill({ engine }: Engine): Promise<void> {
  await engine.backfill.run(engine.targets, ignore, ignore, new AbortController().signal);
}
