import { AbiCoder } from 'ethers';
import { describe, expect, it } from 'vitest';
import { standIn } from '../../../testing/fakes/stand-in.js';
import { RetryError } from '../../domain/errors.js';
import { addressWord, type Address, type Hex } from '../../domain/hex.js';
import type { LogRange, RawLog } from '../../rpc/chain/chain-answers.js';
import type { Chain } from '../../rpc/chain/chain.js';
import { AdaptiveSize } from '../../rpc/endpoints/adaptive-size.js';
import { PRE_TOPIC } from './pre-liquidation-events.js';
import { PreLiquidationSearch } from './pre-liquidation-search.js';

const addressOf = (number: number): Address => `0x${number.toString(16).padStart(40, '0')}`;
const [MORPHO, FACTORY, ORACLE] = [addressOf(1), addressOf(2), addressOf(3)] as const;
const NOW = 1_000;

/** A factory that made a contract in each of these blocks, whose number is the contract's address. */
class Factory {
  readonly asked: string[] = [];
  fails = false;
  readonly found: Address[] = [];
  private readonly size = new AdaptiveSize({ first: 100, largest: 100, patience: 8 });
  readonly search: PreLiquidationSearch;

  constructor(private readonly blocks: readonly number[]) {
    const chain = standIn<Chain>('chain', {
      logSpan: () => this.size,
      getLogs: (range: LogRange) => this.logs(range),
    });
    const factory = { morpho: MORPHO, preLiquidationFactory: FACTORY, fromBlock: 100 };
    this.search = new PreLiquidationSearch(chain, factory, ({ contract }) => this.found.push(contract));
  }

  /** Wakes the search, and waits until it does not go on. */
  async wake(now: number): Promise<void> {
    this.search.wake(now);
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  }

  private logs(range: LogRange): Promise<RawLog[]> {
    if ('blockHash' in range) throw new TypeError('a range of numbers was expected');
    const { fromBlock, toBlock } = range;
    if (this.fails && fromBlock >= 200) return Promise.reject(new RetryError('the archive is away'));
    this.asked.push(`${fromBlock}-${toBlock}`);
    const own = this.blocks.filter((block) => block >= fromBlock && block <= toBlock);
    return Promise.resolve(own.map(createdIn));
  }
}

function createdIn(block: number): RawLog {
  const data = AbiCoder.defaultAbiCoder().encode(
    ['bytes32', 'tuple(uint256,uint256,uint256,uint256,uint256,address)'],
    [`0x${'ab'.repeat(32)}`, [8n, 1n, 2n, 3n, 4n, ORACLE]],
  ) as Hex;
  const contract: Hex = `0x${addressWord(addressOf(block))}`;
  return standIn<RawLog>('log', { address: FACTORY, topics: [PRE_TOPIC.created, contract], data });
}

describe('the search for pre-liquidation contracts in the history', () => {
  it('reads the blocks of the factory in ranges, once', async () => {
    const { search, found, asked } = new Factory([150, 299, 350]);
    expect(search.isDone).toBe(true);
    search.restart(320);
    expect(search.isDone).toBe(false);
    for (let turn = 0; turn < 3; turn++) search.wake(NOW + turn);
    await expect.poll(() => search.isDone).toBe(true);
    expect(found).toEqual([addressOf(150), addressOf(299)]);
    expect(asked.toSorted()).toEqual(['100-199', '200-299', '300-320']);
    search.wake(NOW + 100);
    expect(asked).toHaveLength(3);
  });

  it('goes on after a pause where it failed, and says why it waits', async () => {
    const factory = new Factory([150, 250]);
    const { search } = factory;
    factory.fails = true;
    search.restart(320);
    search.wake(NOW);
    await expect.poll(() => search.failure).toBe('the archive is away');
    factory.fails = false;
    await factory.wake(NOW + 29);
    expect([search.isDone, factory.asked]).toEqual([false, ['100-199']]);
    await factory.wake(NOW + 30);
    await expect.poll(() => search.isDone).toBe(true);
    expect(factory.found).toEqual([addressOf(150), addressOf(250)]);
    expect(factory.asked.filter((range) => range === '100-199')).toHaveLength(1);
    expect(search.failure).toBeUndefined();
  });

  it('begins again after a restart, and drops what is still on its way', async () => {
    const factory = new Factory([150]);
    const { search } = factory;
    search.restart(320);
    search.wake(NOW);
    search.restart(199);
    search.wake(NOW);
    await expect.poll(() => search.isDone).toBe(true);
    expect(factory.found).toEqual([addressOf(150)]);
  });
});
