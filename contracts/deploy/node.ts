/** What the deployment asks a node for, beyond the bot's own calls. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NetworkConfig, RpcConfig } from '../../src/config/index.js';
import { StartupError } from '../../src/domain/errors.js';
import type { Hash, Hex } from '../../src/domain/hex.js';
import { Chain } from '../../src/rpc/chain/chain.js';
import { blockParam } from '../../src/rpc/chain/chain-answers.js';
import { toBigInt, toData } from '../../src/rpc/quantities.js';
import { CallReverted, RpcAnswerError, RpcError } from '../../src/rpc/rpc-errors.js';
import { RpcPool } from '../../src/rpc/endpoints/rpc-pool.js';

/** A deployment is not in a hurry, and its creation code is 50 kB of request: 10 s for one call. */
const DEADLINE_MS = 10_000;
/** How long {@link Node.patiently} goes on asking: 20 s. */
const PATIENCE_MS = 20_000;
const PAUSE_MS = 500;

export class Node {
  readonly chain: Chain;
  readonly #pool: RpcPool;

  private constructor(pool: RpcPool) {
    this.#pool = pool;
    this.chain = new Chain(pool);
  }

  /** @throws StartupError with a sentence for each endpoint that cannot be used, or is of another chain. */
  static async connect(network: NetworkConfig, rpc: RpcConfig): Promise<Node> {
    const pool = new RpcPool({
      chainId: network.chainId,
      primary: rpc.primary,
      backup: rpc.backup,
      timings: { deadlineMs: DEADLINE_MS },
    });
    const problems = await pool.checkEndpoints();
    if (problems.length === 0) return new Node(pool);
    pool.close();
    throw new StartupError(problems.map(({ problem }) => problem));
  }

  /**
   * The code that creation code would leave behind: what an eth_call without receiver returns.
   * @throws CallReverted
   */
  runtimeCode(initCode: Hex, block: Hash): Promise<Hex> {
    return this.#pool.call('eth_call', [{ data: initCode }, blockParam(block)], toData);
  }

  /** The tip that the node suggests, wei per gas. */
  priorityFee(): Promise<bigint> {
    return this.#pool.call('eth_maxPriorityFeePerGas', [], toBigInt);
  }

  /**
   * Asks again while the node does not have the block yet: many nodes may stand behind one URL, and some
   * learn of a block a moment later. For reads only.
   */
  async patiently<T>(read: () => Promise<T>): Promise<T> {
    const endMs = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await read();
      } catch (error) {
        if (!mayPass(error) || performance.now() > endMs) throw error;
      }
      await sleep(PAUSE_MS);
    }
  }

  close(): void {
    this.#pool.close();
  }
}

/**
 * Nodes have many messages for a block that they lack: every error but a revert and a missing method may pass
 * by itself.
 */
function mayPass(error: unknown): boolean {
  return error instanceof RpcError || (error instanceof RpcAnswerError && !isFinal(error));
}

function isFinal(error: RpcAnswerError): boolean {
  return error instanceof CallReverted || isMethodMissing(error);
}

/** JSON-RPC's own code, and the one some nodes use for "not supported". */
export function isMethodMissing(error: unknown): error is RpcAnswerError {
  return error instanceof RpcAnswerError && (error.code === -32601 || error.code === -32004);
}
