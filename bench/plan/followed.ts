/** A real pool book that follows many pools, without a chain. */
import { id } from 'ethers';
import type { Block } from '../../src/domain/block.js';
import type { Hash } from '../../src/domain/hex.js';
import type { ConcentratedPool } from '../../src/liquidity/concentrated/concentrated-pool.js';
import { PoolBook } from '../../src/liquidity/pool-book.js';
import { PoolReader, type ConfiguredVenue, type KnownPool } from '../../src/liquidity/pool-reader.js';
import type { Chain } from '../../src/rpc/chain/chain.js';
import type { RawLog } from '../../src/rpc/chain/chain-answers.js';
import { aBlock } from '../../testing/builders/blocks.js';
import { eventually } from '../../testing/eventually.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { standIn } from '../../testing/fakes/stand-in.js';

const SWAP = id('Swap(address,address,int256,int256,uint160,uint128,int24)') as Hash;
const UNISWAP: ConfiguredVenue = {
  name: 'uniswap-v3',
  kind: 'uniswap-v3',
  factory: `0x${'fa'.repeat(20)}`,
  isBuiltIn: true,
};

interface NextBlock {
  readonly block: Block;
  readonly logs: readonly RawLog[];
}

export class FollowedBook {
  private number = 1;

  private constructor(readonly book: PoolBook) {}

  /** The pools are those of the last run, and are read beside the first block. */
  static async of(pools: readonly ConcentratedPool[]): Promise<FollowedBook> {
    const states = new Map(pools.map((pool) => [pool.address, pool]));
    const known = pools.map(({ address, tokens }): KnownPool => ({
      address,
      tokens,
      venue: UNISWAP,
      parameter: 500,
    }));
    const reader = new (class extends PoolReader {
      override states(asked: readonly KnownPool[]): ReturnType<PoolReader['states']> {
        return Promise.resolve(new Map(asked.map(({ address }) => [address, states.get(address)])));
      }
    })(standIn<Chain>('chain', {}), [UNISWAP]);
    const saved = { load: () => Promise.resolve(known), save: () => Promise.resolve() };
    const settings = { minPoolUsd8: 0n, hubs: [] };
    const book = new PoolBook(reader, settings, new RecordedEvents(), undefined, saved);
    const first = aBlock(1);
    book.commitRange(await book.prepareRange(first, undefined), first);
    await new Promise(setImmediate);
    await eventually(() => !book.isWorking, 'the pools to be read');
    const followed = new FollowedBook(book);
    await followed.apply(followed.next([]));
    return followed;
  }

  /** The next block, with these logs. */
  next(logs: readonly Pick<RawLog, 'address' | 'data'>[]): NextBlock {
    const block = aBlock((this.number += 1));
    const { number: blockNumber, hash: blockHash } = block;
    const of = { topics: [SWAP], blockNumber, blockHash, transactionHash: blockHash };
    return { block, logs: logs.map((log, logIndex) => ({ ...log, ...of, logIndex })) };
  }

  async apply({ block, logs }: NextBlock): Promise<void> {
    const step = await this.book.prepare(block, logs, () => Promise.resolve([]));
    this.book.commit(step, block);
  }
}
