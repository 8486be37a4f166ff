import type { ChimeraConfig } from '../config/index.js';
import { messageOf } from '../domain/errors.js';
import { simulationParams } from '../rpc/chain/simulate.js';
import { MULTICALL3 } from '../rpc/chain/multicall3.js';
import type { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { hexQuantity, toNumber } from '../rpc/quantities.js';

/** A range of logs that most nodes answer. Blocks. */
const RANGE = 10_000;
const ASK_MS = 5_000;

/** What the node lacks: one sentence each, with what works all the same. */
export interface Lack {
  readonly what: 'eth_simulateV1' | 'logs' | 'websocket';
  readonly sentence: string;
}

/** Asks the node for what the bot needs beside the plainest questions. Never throws. */
export async function lacksOf(config: ChimeraConfig, pool: RpcPool): Promise<Lack[]> {
  const [simulation, logs] = await Promise.all([simulationLack(pool), logsLack(pool)]);
  const socket: Lack | undefined =
    config.rpc.primary.ws === undefined
      ? {
          what: 'websocket',
          sentence: `No WebSocket (--ws): the newest block is asked for instead, at least every ${config.detector.scanIntervalMs / 1_000} s. Everything works, a little later.`,
        }
      : undefined;
  return [simulation, logs, socket].filter((lack) => lack !== undefined);
}

async function simulationLack(pool: RpcPool): Promise<Lack | undefined> {
  // Any call will do: whether the method is there is asked.
  const params = [simulationParams([{ to: MULTICALL3, data: '0x', gas: 100_000n }]), 'latest'];
  try {
    await pool.call('eth_simulateV1', params, (raw) => raw, { deadlineMs: ASK_MS });
    return undefined;
  } catch (error) {
    return {
      what: 'eth_simulateV1',
      sentence: `The node lacks eth_simulateV1 (${messageOf(error)}), by which plans are proved. Positions and prices are followed, but there are no plans.`,
    };
  }
}

async function logsLack(pool: RpcPool): Promise<Lack | undefined> {
  try {
    const head = await pool.call('eth_blockNumber', [], (raw) => toNumber(raw), { deadlineMs: ASK_MS });
    const range = {
      fromBlock: hexQuantity(Math.max(0, head - RANGE)),
      toBlock: hexQuantity(head),
      // Nothing has logs there: only the range is asked about.
      address: MULTICALL3,
    };
    await pool.call('eth_getLogs', [range], (raw) => raw, { deadlineMs: ASK_MS });
    return undefined;
  } catch (error) {
    return {
      what: 'logs',
      sentence: `The node refuses logs of ${RANGE} blocks (${messageOf(error)}): the search for borrowers asks for fewer at a time and takes longer. A snapshot (--snapshot) makes it short.`,
    };
  }
}
