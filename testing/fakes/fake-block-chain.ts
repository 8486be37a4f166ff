import type { Block } from '../../src/domain/block.js';
import { messageOf } from '../../src/domain/errors.js';
import type { Address, Hash } from '../../src/domain/hex.js';
import type { RawLog } from '../../src/rpc/chain/chain-answers.js';
import type { Chain } from '../../src/rpc/chain/chain.js';
import { AdaptiveSize } from '../../src/rpc/endpoints/adaptive-size.js';
import { RpcError } from '../../src/rpc/rpc-errors.js';
import { aBlock } from '../builders/blocks.js';
import { standIn } from './stand-in.js';

/** Headers and logs of one branch, in memory, for code that follows blocks. */
export class FakeBlockChain {
  private blocks: Block[] = [aBlock(0)];
  private readonly logs = new Map<Hash, RawLog[]>();
  /** The addresses of each request for logs. */
  readonly asked: (readonly Address[])[] = [];
  /** Thrown by the next requests for logs. */
  logFault: Error | undefined;

  get tip(): Block {
    return this.blocks.at(-1) ?? aBlock(0);
  }

  /** Adds a block with these logs, given as contract and data. */
  mine(logs: readonly (readonly [Address, `0x${string}`])[] = [], branch = 0): Block {
    const parent = this.tip;
    const block = { ...aBlock(parent.number + 1, { branch }), parentHash: parent.hash };
    this.blocks.push(block);
    this.logs.set(
      block.hash,
      logs.map(([address, data], logIndex) => ({
        address,
        topics: [],
        data,
        blockNumber: block.number,
        blockHash: block.hash,
        transactionHash: block.hash,
        transactionIndex: 0,
        logIndex,
      })),
    );
    return block;
  }

  /** A reorg: removes the last blocks. */
  drop(count: number): void {
    this.blocks = this.blocks.slice(0, -count);
  }

  /** The chain with the interface that the bot uses. */
  get chain(): Chain {
    return standIn<Chain>('chain', {
      getBlock: (block) => Promise.resolve(this.at(Number(block))),
      getBlocks: (from, to) =>
        Promise.resolve(Array.from({ length: to - from + 1 }, (_, index) => this.at(from + index))),
      getLogs: (range, addresses, _topics, options) => {
        if (this.logFault) return Promise.reject(this.logFault);
        this.asked.push(addresses);
        const inRange = this.blocks.filter(({ number, hash }) =>
          'blockHash' in range
            ? hash === range.blockHash
            : number >= range.fromBlock && number <= range.toBlock,
        );
        const logs = inRange.flatMap(({ hash }) => this.logs.get(hash) ?? []);
        const found = logs.filter(({ address }) => addresses.includes(address));
        try {
          if (options?.check) found.forEach(options.check);
        } catch (error) {
          return Promise.reject(new RpcError('bad-answer', 'rpc', messageOf(error)));
        }
        return Promise.resolve(found);
      },
      multicallAs: (_calls, _block, decode) => Promise.resolve(decode([])),
      logSpan: () => new AdaptiveSize({ first: 10_000, largest: 10_000, patience: 8 }),
    });
  }

  private at(number: number): Block {
    const block = this.blocks[number];
    if (!block) throw new RpcError('out-of-sync', 'rpc', `there is no block ${number}`);
    return block;
  }
}
