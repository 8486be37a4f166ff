/** A real chain and a real database, and the bot's state on top of them as production puts it together. */
import { MemoryCache } from '../../src/cache/index.js';
import { parseConfig, type AaveV3Config, type ChimeraConfig } from '../../src/config/index.js';
import { CheckpointsRepository } from '../../src/database/index.js';
import type { Block } from '../../src/domain/block.js';
import { Secret } from '../../src/domain/secret.js';
import { AaveV3Reader } from '../../src/protocols/aave-v3/aave-v3.reader.js';
import { Chain } from '../../src/rpc/chain/chain.js';
import {
  RpcPool,
  type BatchAnswers,
  type BatchOptions,
  type CallOptions,
  type RpcCall,
} from '../../src/rpc/endpoints/rpc-pool.js';
import { CheckpointStore } from '../../src/state/checkpoint-store.js';
import { aaveState, type AaveState } from '../../testing/aave-state.js';
import { TestDatabase } from '../../testing/database.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { operatorPrivateKey, startDevnet, type Devnet } from '../../devnet/index.js';
import { botConfig, newApiKeys } from '../../devnet/stack/bot-config.js';
import { LIMITS } from './tracked.js';

/** Each state of the chain is a copy of all of it: of ten thousand borrowers few fit into memory. */
const STATES_KEPT = 16;

/** Counts the JSON-RPC calls; a batch counts as its single calls. */
class CountingPool extends RpcPool {
  calls = 0;

  override call<T>(
    method: string,
    params: readonly unknown[],
    parse: (raw: unknown) => T,
    options?: CallOptions,
  ): Promise<T> {
    this.calls += 1;
    return super.call(method, params, parse, options);
  }

  /** RpcPool.batch ends here too. */
  override batchAs<const Calls extends readonly RpcCall<unknown>[], T>(
    calls: Calls,
    combine: (answers: BatchAnswers<Calls>) => T,
    options?: BatchOptions,
  ): Promise<T> {
    this.calls += calls.length;
    return super.batchAs(calls, combine, options);
  }
}

/** What one process of the bot has of the state: another one with the same database is a restart. */
export interface Engine extends AaveState {
  readonly store: CheckpointStore;
  readonly chain: Chain;
  readonly reader: AaveV3Reader;
  readonly pool: CountingPool;
  readonly close: () => Promise<void>;
}

export class LocalBench {
  readonly #config: ChimeraConfig;
  readonly #pool: RpcPool;

  private constructor(
    readonly devnet: Devnet,
    private readonly database: TestDatabase,
  ) {
    const nowhere = { host: '127.0.0.1', port: 1, database: 'none' };
    this.#config = parseConfig(botConfig(devnet, nowhere, newApiKeys()), {
      RPC_PRIMARY_HTTP: devnet.rpcUrl,
      RPC_PRIMARY_WS: devnet.wsUrl,
      DB_USER: 'nobody',
      OPERATOR_PRIVATE_KEY: operatorPrivateKey,
    });
    this.#pool = this.#newPool();
  }

  static async start(): Promise<LocalBench> {
    const database = await TestDatabase.start();
    const devnet = await startDevnet({ statesKept: STATES_KEPT });
    return new LocalBench(devnet, database);
  }

  get protocol(): AaveV3Config {
    const [protocol] = this.#config.protocols;
    if (protocol?.kind !== 'aave-v3') throw new Error('the first market of the configuration is not Aave');
    return protocol;
  }

  /** The head as a WebSocket would tell it: no call of the engine's. */
  head(): Promise<Block> {
    return new Chain(this.#pool).getBlock('latest');
  }

  engine(): Engine {
    const pool = this.#newPool();
    const chain = new Chain(pool);
    const reader = new AaveV3Reader(chain);
    const store = new CheckpointStore(
      new CheckpointsRepository(this.database.database, 31337),
      new MemoryCache(),
      new RecordedEvents(),
    );
    const { fromBlock } = this.protocol;
    const state = aaveState(chain, this.#config, store, { limits: LIMITS, fromBlock });
    const close = async (): Promise<void> => {
      await store.settled();
      pool.close();
    };
    return { ...state, store, chain, reader, pool, close };
  }

  async stop(): Promise<void> {
    this.#pool.close();
    await this.devnet.stop();
    await this.database.stop();
  }

  #newPool(): CountingPool {
    return new CountingPool({
      chainId: this.devnet.chainId,
      primary: { http: new Secret(this.devnet.rpcUrl) },
    });
  }
}
