import { setTimeout as sleep } from 'node:timers/promises';
import type { Devnet } from '../devnet/index.js';

export interface MinedTransaction {
  readonly status: string;
  readonly gasUsed: string;
  readonly logs: readonly {
    readonly address: string;
    readonly topics: readonly string[];
    readonly data: string;
  }[];
}

interface Request {
  readonly to: string;
  readonly data: string;
  /** Wei. */
  readonly value?: bigint;
  readonly gas?: bigint;
}

const DEADLINE_MS = 60_000;

/**
 * Sends from any account (the node needs no key) and waits until it is mined.
 *
 * @throws Error when it fails or takes too long.
 */
export async function sendFrom(
  devnet: Devnet,
  from: string,
  { to, data, value = 0n, gas = 5_000_000n }: Request,
): Promise<MinedTransaction> {
  const hash = await devnet.rpc('eth_sendTransaction', [
    { from, to, data, value: `0x${value.toString(16)}`, gas: `0x${gas.toString(16)}` },
  ]);
  const until = Date.now() + DEADLINE_MS;
  while (Date.now() < until) {
    const receipt = (await devnet.rpc('eth_getTransactionReceipt', [hash])) as MinedTransaction | null;
    if (receipt) {
      if (receipt.status !== '0x1') throw new Error(`the transaction to ${to} failed`);
      return receipt;
    }
    await sleep(10);
  }
  throw new Error(`the transaction to ${to} was not mined within ${DEADLINE_MS} ms`);
}
