import type { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { demoBorrowers, startDevnet, type Devnet } from '../devnet/index.js';
import { MemoryCache } from '../src/cache/index.js';
import { CheckpointsRepository } from '../src/database/index.js';
import type { Block } from '../src/domain/block.js';
import { toAddress, type Address } from '../src/domain/hex.js';
import { Secret } from '../src/domain/secret.js';
import { Chain } from '../src/rpc/chain/chain.js';
import type { LogHistory } from '../src/rpc/history/log-history.js';
import { RpcError } from '../src/rpc/rpc-errors.js';
import {
  RpcPool,
  type BatchAnswers,
  type BatchOptions,
  type RpcCall,
} from '../src/rpc/endpoints/rpc-pool.js';
import type { DeliveredLogs } from '../src/state/block-logs.js';
import { CheckpointStore } from '../src/state/checkpoint-store.js';
import type { Advance } from '../src/state/advance.js';
import type { StateEngine } from '../src/state/state-engine.js';
import type { StateView } from '../src/state/state-view.js';
import type { HealthFactorLimits } from '../src/protocols/aave-v3/aave-v3-market.js';
import { aaveState, ALL_POSITIONS, type AaveState } from './aave-state.js';
import { TestDatabase } from './database.js';
import { configOf } from './devnet-config.js';
import { RecordedEvents } from './fakes/recorded-events.js';
import { TestClock } from './fakes/test-clock.js';

export interface EngineSettings {
  readonly cache?: MemoryCache;
  readonly fromBlock?: number;
  readonly limits?: HealthFactorLimits;
  /** The URL of another node than the local chain's own. */
  readonly archiveUrl?: string;
  /** Nodes in place of the local chain's own. */
  readonly primaryUrl?: string;
  readonly backupUrl?: string;
  readonly delivered?: DeliveredLogs;
  /** Of old logs, beside the nodes. */
  readonly history?: LogHistory;
  /** The clock of the gap watch and the backfill; default: the system's. */
  readonly clock?: TestClock;
}

/** The state of one process. Another one with the same database is a restart. */
export interface Engine extends AaveState {
  readonly events: RecordedEvents;
  readonly store: CheckpointStore;
  readonly chain: Chain;
  readonly pool: RpcPool;
  /** Starts at the latest block. Until the backfill runs, only the saved accounts are known. */
  start(): Promise<StateView>;
  /** Starts, and finds all borrowers. */
  startWhole(): Promise<StateView>;
  /** Moves to this block, or to the latest. @throws the error of the engine */
  advance(head?: Block): Promise<StateView>;
  /** JSON-RPC calls that the pool sent since this was called last. */
  calls(): number;
  /**
   * Lets the n-th call from now on, and all calls after it, fail as if the node were away; undefined: none.
   */
  failAfter(calls: number | undefined): void;
  /** Lets every request for logs fail. */
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
    private readonly database: TestDatabase,
  ) {}

  get dataSource(): DataSource {
    return this.database.dataSource;
  }

  static async start(): Promise<StateBench> {
    const [database, devnet] = await Promise.all([TestDatabase.start(), startDevnet()]);
    return new StateBench(devnet, database);
  }

  engine(settings: EngineSettings = {}): Engine {
    const { cache = new MemoryCache(), archiveUrl, limits = ALL_POSITIONS, ...options } = settings;
    const { primaryUrl = this.devnet.rpcUrl, backupUrl } = settings;
    const config = configOf(this.devnet);
    const pool = new WatchedPool({
      chainId: this.devnet.chainId,
      primary: { http: new Secret(primaryUrl) },
      backup: backupUrl === undefined ? undefined : { http: new Secret(backupUrl) },
      archive: archiveUrl === undefined ? undefined : { http: new Secret(archiveUrl) },
    });
    const chain = new Chain(pool, settings.history);
    const events = new RecordedEvents();
    const store = new CheckpointStore(
      new CheckpointsRepository(this.database.database, 31337),
      cache,
      events,
    );
    const state = aaveState(chain, config, store, { limits, events, ...options });
    const { engine, backfill } = state;
    const start = async (): Promise<StateView> => engine.start(await chain.getBlock('latest'));
    let before = 0;
    return {
      ...state,
      events,
      store,
      chain,
      pool,
      start,
      startWhole: async () => {
        await start();
        await backfill.release();
        return viewOf(engine);
      },
      advance: async (head) => reached(await engine.advance(head ?? (await chain.getBlock('latest')))),
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
    await this.devnet.stop();
    await this.database.stop();
  }
}

export function viewOf(engine: StateEngine): StateView {
  if (!engine.view) throw new Error('the engine has no view yet');
  return engine.view;
}

/** The view of an advance that reached its head. @throws the error of the advance otherwise */
export function reached({ view, error }: Advance): StateView {
  if (error !== undefined) throw error;
  if (!view) throw new Error('the head was not reached');
  return view;
}

/** Every difference between our state and the chain, over all positions. */
export async function disagreements({ engine }: Pick<Engine, 'engine'>): Promise<unknown[]> {
  const compared = await engine.compare(viewOf(engine), { calls: 500, chunk: 250 });
  const count = compared.reduce((sum, { found }) => sum + found.compared.length, 0);
  if (count < engine.positionCount) throw new Error(`only ${count} positions were compared`);
  return compared.flatMap(({ market: { name: market }, found: { divergences, wrongPrices } }) =>
    [...divergences, ...wrongPrices].map((difference) => ({ market, ...difference })),
  );
}

export function ignore(): void {
  // The test needs no result.
}

export const BORROWERS = 12;

export interface StateSpec {
  readonly bench: StateBench;
  /** Closed after the test. */
  engineOf(settings?: EngineSettings): Engine;
  /** As {@link engineOf}, started, and its backfill run to the end. */
  whole(settings?: EngineSettings): Promise<Engine>;
  /** A new borrower, in a block of its own. @param times of a thousand dollars */
  borrow(times?: bigint): Promise<Address>;
}

/**
 * A chain with {@link BORROWERS}, as it was before each test, and an empty database: for the specs of one
 * file.
 */
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
