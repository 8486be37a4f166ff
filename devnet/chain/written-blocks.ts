/** Blocks of chosen transactions in a chosen order at a chosen time, and reorgs. */
import { toQuantity } from 'ethers';
import type { Miner } from './mining.js';
import type { RpcClient } from './rpc.js';
import { DEFAULT_MAX_FEE_WEI } from './transactions.js';

/** A call by any account: the node needs no key. The account pays for its gas. */
export interface BlockTransaction {
  from: string;
  to: string;
  data: string;
  valueWei?: bigint;
}

/** What became of a transaction; a refused one has no logs. */
export interface BlockReceipt {
  succeeded: boolean;
  logs: { address: string; topics: string[]; data: string }[];
}

/**
 * More than enough: listing a reserve takes half of it, a liquidation with bad debt in several reserves a
 * fifth.
 */
const GAS = 5_000_000n;

export class BlockWriter {
  constructor(
    private readonly rpc: RpcClient,
    private readonly miner: Miner,
  ) {}

  /**
   * Makes one block of these transactions in this order, whether they succeed or not. Nothing else may wait
   * in the pool.
   * @param timestamp seconds since the epoch, later than the last block's
   * @throws {Error} when one of them is not in the block: its sender can not pay, or they are too many
   */
  write(transactions: readonly BlockTransaction[], timestamp: number): Promise<BlockReceipt[]> {
    return this.miner.exclusiveWithoutAutomine(async () => {
      const nonces = await this.#noncesOf(transactions);
      // The node sorts by fee: falling fees keep the order.
      const calls = transactions.map((transaction, position) => {
        const nonce = nonces.get(transaction.from) ?? 0;
        nonces.set(transaction.from, nonce + 1);
        const fee = DEFAULT_MAX_FEE_WEI + BigInt(transactions.length - position);
        return { ...request(transaction, fee), nonce: toQuantity(nonce) };
      });
      await this.rpc.batch(calls.map((call) => ({ method: 'eth_sendTransaction', params: [call] })));
      await this.rpc.call('evm_setNextBlockTimestamp', [timestamp]);
      await this.miner.mineOne();
      return this.#receiptsOf('latest', transactions.length);
    });
  }

  /**
   * Replaces the last blocks by as many others (anvil_reorg).
   * @param blocks the transactions of each, the oldest block first
   * @param interval seconds from one new block to the next
   * @throws {Error} as write()
   */
  rewrite(blocks: readonly (readonly BlockTransaction[])[], interval: number): Promise<BlockReceipt[][]> {
    return this.miner.exclusiveWithoutAutomine(async () => {
      const placed = blocks.flatMap((transactions, offset) =>
        transactions.map((transaction) => [request(transaction, DEFAULT_MAX_FEE_WEI), offset]),
      );
      // Otherwise the node takes the machine's clock.
      await this.rpc.call('anvil_setBlockTimestampInterval', [interval]);
      await this.rpc.call('anvil_reorg', [blocks.length, placed]);
      await this.rpc.call('anvil_removeBlockTimestampInterval');
      const first = Number(await this.rpc.call('eth_blockNumber')) - blocks.length + 1;
      return Promise.all(
        blocks.map((transactions, offset) =>
          this.#receiptsOf(toQuantity(first + offset), transactions.length),
        ),
      );
    });
  }

  async #noncesOf(transactions: readonly BlockTransaction[]): Promise<Map<string, number>> {
    const senders = [...new Set(transactions.map(({ from }) => from))];
    const counts = await this.rpc.batch(
      senders.map((sender) => ({ method: 'eth_getTransactionCount', params: [sender, 'latest'] })),
    );
    return new Map(senders.map((sender, i) => [sender, Number(counts[i])]));
  }

  async #receiptsOf(block: string, expected: number): Promise<BlockReceipt[]> {
    const receipts = (await this.rpc.call('eth_getBlockReceipts', [block])) as (BlockReceipt & {
      status: string;
    })[];
    if (receipts.length !== expected)
      throw new Error(`a block holds ${receipts.length} of ${expected} transactions`);
    return receipts.map(({ status, logs }) => ({ succeeded: status === '0x1', logs }));
  }
}

function request(transaction: BlockTransaction, maxFeeWei: bigint): Record<string, string> {
  const { from, to, data, valueWei = 0n } = transaction;
  return {
    from,
    to,
    data,
    value: toQuantity(valueWei),
    gas: toQuantity(GAS),
    maxFeePerGas: toQuantity(maxFeeWei),
    maxPriorityFeePerGas: '0x0',
  };
}
