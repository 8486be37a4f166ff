import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { startFakePool, type FakePool } from '../../../testing/nodes/fake-pool.js';
import {
  blockOf,
  EMITTER,
  hashOf,
  hex,
  logOf,
  NodeRefusal,
  TX,
  type FakeRpc,
} from '../../../testing/nodes/fake-rpc.js';
import type { Block } from '../../domain/block.js';
import type { Address, Hash } from '../../domain/hex.js';
import type { RawLog } from './chain-answers.js';
import { Chain } from './chain.js';
import { CallReverted, LogRangeTooLarge, TooManyAddresses } from '../rpc-errors.js';

const OTHER_TX: Hash = `0x${'cd'.repeat(32)}`;
const SENDER: Address = `0x${'22'.repeat(20)}`;
const BLOCK = hashOf(9);

let fakes: FakePool;
let chain: Chain;
let primary: FakeRpc;
let backup: FakeRpc;

beforeEach(async () => {
  fakes = await startFakePool();
  ({ primary, backup } = fakes);
  chain = new Chain(fakes.pool);
});
afterEach(() => fakes.close());

const log = (fields: object = {}): object => logOf(9, fields);

/** Both nodes answer this, so that failover changes nothing. */
const both = (method: string, result: unknown): void => {
  for (const node of [primary, backup]) node.on(method, () => result);
};

describe('blocks', () => {
  it('a block is read by hash, number and tag', async () => {
    const expected = {
      number: 9,
      hash: BLOCK,
      parentHash: hashOf(8),
      timestamp: 1_700_000_018,
      baseFeePerGas: 5_000_000n,
    };
    expect(await chain.getBlock(BLOCK)).toEqual(expected);
    expect(await chain.getBlock(9)).toEqual(expected);
    expect(await chain.getBlock('latest')).toMatchObject({ number: 100 });
  });

  it('F07 a block that only the backup has comes from there, and one that no node has is out of sync', async () => {
    primary.head = 8;
    expect(await chain.getBlock(BLOCK)).toMatchObject({ number: 9 });
    backup.head = 8;
    await expect(chain.getBlock(BLOCK)).rejects.toMatchObject({ kind: 'out-of-sync' });
  });

  it('F10 another block than the one asked for is rejected', async () => {
    both('eth_getBlockByHash', {
      number: '0x8',
      hash: hashOf(8),
      parentHash: BLOCK,
      timestamp: '0x1',
      baseFeePerGas: '0x1',
    });
    await expect(chain.getBlock(BLOCK)).rejects.toMatchObject({ kind: 'bad-answer' });
  });

  it.each([
    ['number', '0x20000000000001'],
    ['number', 9],
    ['number', '9'],
    ['timestamp', `0x${'f'.repeat(65)}`],
    ['hash', '0x1234'],
    ['baseFeePerGas', null],
  ])('F03 a header with %s = %s is rejected', async (field, value) => {
    const header = {
      number: '0x9',
      hash: BLOCK,
      parentHash: hashOf(8),
      timestamp: '0x1',
      baseFeePerGas: '0x1',
    };
    both('eth_getBlockByNumber', { ...header, [field]: value });
    await expect(chain.getBlock('latest')).rejects.toMatchObject({ kind: 'bad-answer' });
  });
});

describe('consecutive headers', () => {
  const numbersOf = (blocks: readonly Block[]): number[] => blocks.map(({ number }) => number);

  it('they come in one batch, both ends included, each the parent of the next', async () => {
    const blocks = await chain.getBlocks(5, 9);
    expect(numbersOf(blocks)).toEqual([5, 6, 7, 8, 9]);
    expect(blocks[4]).toEqual(await chain.getBlock(9));
    expect(primary.requests).toBe(2);
    expect(numbersOf(await chain.getBlocks(9, 9))).toEqual([9]);
  });

  it('an empty range gives no headers and sends nothing', async () => {
    expect(await chain.getBlocks(9, 8)).toEqual([]);
    expect(primary.requests).toBe(0);
  });

  it('more than 100 headers come in several batches, one after the other', async () => {
    for (const node of [primary, backup]) node.head = 500;
    expect(numbersOf(await chain.getBlocks(1, 201))).toEqual(Array.from({ length: 201 }, (_, i) => i + 1));
    expect(primary.requests).toBe(3);
  });

  const forkAt =
    (fork: number) =>
    ([number]: readonly unknown[]): unknown =>
      blockOf(Number(number), Number(number) >= fork ? 1 : 0);

  it('when the headers of the primary do not link, the backup is asked, and later the primary again', async () => {
    primary.on('eth_getBlockByNumber', forkAt(7));
    expect((await chain.getBlocks(5, 9)).map(({ hash }) => hash)).toEqual(
      [5, 6, 7, 8, 9].map((n) => hashOf(n)),
    );
    expect(backup.requests).toBe(1);
    primary.on('eth_getBlockByNumber', forkAt(0));
    expect((await chain.getBlocks(5, 9))[0]?.hash).toBe(hashOf(5, 1));
    expect(backup.requests).toBe(1);
  });

  it('when no node gives headers that link, the error names the block', async () => {
    for (const node of [primary, backup]) node.on('eth_getBlockByNumber', forkAt(7));
    await expect(chain.getBlocks(5, 9)).rejects.toMatchObject({
      kind: 'bad-answer',
      message: expect.stringContaining('block 7 is not the child of the block before it') as string,
    });
  });

  it('headers must link from one batch to the next', async () => {
    for (const node of [primary, backup]) {
      node.head = 500;
      node.on('eth_getBlockByNumber', forkAt(101));
    }
    await expect(chain.getBlocks(1, 150)).rejects.toMatchObject({ kind: 'bad-answer' });
  });

  it('F10 headers of other numbers than those asked for are rejected', async () => {
    primary.on('eth_getBlockByNumber', ([number]) => blockOf(Number(number) + 1));
    expect(numbersOf(await chain.getBlocks(5, 6))).toEqual([5, 6]);
    expect(backup.requests).toBe(1);
  });

  it('F07 headers that only the backup has come from there, and headers that no node has are out of sync', async () => {
    primary.head = 7;
    expect(numbersOf(await chain.getBlocks(5, 9))).toEqual([5, 6, 7, 8, 9]);
    backup.head = 8;
    await expect(chain.getBlocks(5, 9)).rejects.toMatchObject({ kind: 'out-of-sync' });
  });

  it('when a node refuses a header, the next one is asked, and the read fails when all refuse', async () => {
    primary.on('eth_getBlockByNumber', () => new NodeRefusal(-32602, 'invalid argument 0'));
    expect(await chain.getBlocks(5, 6)).toHaveLength(2);
    fakes.backup.on('eth_getBlockByNumber', () => new NodeRefusal(-32602, 'invalid argument'));
    await expect(chain.getBlocks(5, 6)).rejects.toMatchObject({ kind: 'refused' });
  });
});

describe('logs', () => {
  const range = { fromBlock: 9, toBlock: 10 };

  it('they are typed and in the order of the chain, and the whole filter is sent', async () => {
    primary.on('eth_getLogs', () => [log({ logIndex: '0x2' }), log({ blockNumber: '0x9', logIndex: '0x1' })]);
    const logs = await chain.getLogs(range, [EMITTER], [[TX], null]);
    expect(logs.map(({ logIndex }) => logIndex)).toEqual([1, 2]);
    expect(logs[0]).toEqual({
      address: EMITTER,
      topics: [TX],
      data: '0x01',
      blockNumber: 9,
      blockHash: BLOCK,
      transactionHash: TX,
      logIndex: 1,
    });
    expect(primary.seen[0]?.params).toEqual([
      { fromBlock: '0x9', toBlock: '0xa', address: [EMITTER], topics: [[TX], null] },
    ]);
  });

  it.each([
    ['of another address', { address: SENDER }],
    ['outside the range', { blockNumber: '0xb' }],
    ['removed by a reorg', { removed: true }],
    ['with a cut topic', { topics: ['0x12'] }],
    ['with odd data', { data: '0x123' }],
    ['that is still pending', { blockNumber: null, blockHash: null }],
  ])('F03 a log %s is rejected', async (_name, fields) => {
    both('eth_getLogs', [log(fields)]);
    await expect(chain.getLogs(range, [EMITTER], [])).rejects.toMatchObject({ kind: 'bad-answer' });
  });

  it('logs of another block than the hash asked for are rejected', async () => {
    both('eth_getLogs', [log()]);
    expect(await chain.getLogs({ blockHash: BLOCK }, [], [])).toHaveLength(1);
    await expect(chain.getLogs({ blockHash: hashOf(10) }, [], [])).rejects.toMatchObject({
      kind: 'bad-answer',
    });
  });

  describe('that are known to exist', () => {
    const heard = (fields: Partial<RawLog> = {}): RawLog => ({
      address: EMITTER,
      topics: [TX],
      data: '0x01',
      blockNumber: 9,
      blockHash: BLOCK,
      transactionHash: TX,
      logIndex: 0,
      ...fields,
    });
    const both9 = [log(), log({ logIndex: '0x1' })];
    const ask = (mustHold: readonly RawLog[]): Promise<RawLog[]> =>
      chain.getLogs(range, [EMITTER], [TX], { mustHold });

    it.each([
      ['truncated', [log()]],
      ['missing', []],
      ['of a sibling block', [log(), log({ logIndex: '0x1', blockHash: hashOf(9, 1) })]],
    ])(
      'F11 %s at the primary come from the backup, and later from the primary again',
      async (_name, lacking) => {
        primary.on('eth_getLogs', () => lacking);
        backup.on('eth_getLogs', () => both9);
        expect(await ask([heard(), heard({ logIndex: 1 })])).toHaveLength(2);
        expect(backup.requests).toBe(1);
        primary.on('eth_getLogs', () => both9);
        expect(await ask([heard(), heard({ logIndex: 1 })])).toHaveLength(2);
        expect(backup.requests).toBe(1);
      },
    );

    it('F11 when no node has them all, the read fails and does not give a shorter list', async () => {
      both('eth_getLogs', [log()]);
      await expect(ask([heard({ logIndex: 1 })])).rejects.toMatchObject({
        kind: 'bad-answer',
        message: expect.stringContaining('it lacks 1 of the 1 logs heard before') as string,
      });
    });

    it.each([
      ['another address', { address: SENDER }],
      ['another topic', { topics: [OTHER_TX] }],
      ['no topic', { topics: [] }],
      ['another block', { blockNumber: 11, blockHash: hashOf(11) }],
    ])('a known log that the filter does not match (%s) is not required', async (_name, fields) => {
      both('eth_getLogs', [log()]);
      expect(await ask([heard({ logIndex: 7, ...fields })])).toHaveLength(1);
    });

    it('by block hash, only the known logs of that block are required', async () => {
      both('eth_getLogs', [log()]);
      const options = { mustHold: [heard(), heard({ blockHash: hashOf(9, 1), logIndex: 3 })] };
      expect(await chain.getLogs({ blockHash: BLOCK }, [], [], options)).toHaveLength(1);
    });
  });

  describe('F11 of more contracts than a node takes in one question', () => {
    const CONTRACTS = Array.from(
      { length: 50 },
      (_, index): Address =>
        `0x${hex(0x1000 + index)
          .slice(2)
          .padStart(40, '0')}`,
    );
    const countOf = (params: readonly unknown[]): number =>
      (params[0] as { address: readonly Address[] }).address.length;
    const takes = (most: number, refusal: NodeRefusal): void =>
      primary.on('eth_getLogs', ([filter]) => {
        const { address } = filter as { address: readonly Address[] };
        if (address.length > most) return refusal;
        return address.map((one) => log({ address: one, logIndex: hex(CONTRACTS.indexOf(one)) }));
      });

    it.each([
      ['geth', new NodeRefusal(-32000, 'exceed max addresses or topics per search position'), 20],
      ['another', new NodeRefusal(-32602, 'please specify less number of addresses'), 7],
      ['another', new NodeRefusal(-32005, 'too many addresses, the maximum is 10'), 10],
      ['another', new NodeRefusal(-32602, 'This query contains 51 filters. The current limit is 50.'), 1],
    ])(
      'in the words of %s: the list is asked for in parts, in the order of the chain, and the size is remembered',
      async (_name, refusal, most) => {
        takes(most, refusal);
        for (const place of [{ blockHash: BLOCK }, range]) {
          const logs = await chain.getLogs(place, CONTRACTS, []);
          expect(logs.map(({ address }) => address)).toEqual(CONTRACTS);
        }
        const asked = primary.seenOf('eth_getLogs').length;
        await chain.getLogs({ blockHash: BLOCK }, CONTRACTS, []);
        const later = primary.seenOf('eth_getLogs').slice(asked);
        expect(later.map(({ params }) => countOf(params) <= most)).not.toContain(false);
        expect(backup.requests).toBe(0);
      },
    );

    it('a node that takes no contract at all: it fails, and later serves the whole list again', async () => {
      takes(0, new NodeRefusal(-32000, 'exceed max addresses or topics per search position'));
      await expect(chain.getLogs({ blockHash: BLOCK }, CONTRACTS, [])).rejects.toBeInstanceOf(
        TooManyAddresses,
      );
      takes(50, new NodeRefusal(-32000, 'never'));
      expect(await chain.getLogs({ blockHash: BLOCK }, CONTRACTS, [])).toHaveLength(50);
    });

    it('words about blocks or results are about the range', async () => {
      primary.on(
        'eth_getLogs',
        () => new NodeRefusal(-32005, 'block range is too wide for more than 5 addresses'),
      );
      await expect(chain.getLogs(range, CONTRACTS, [])).rejects.toBeInstanceOf(LogRangeTooLarge);
    });
  });

  it('F11 a range that is too large for the provider has an error of its own', async () => {
    primary.on('eth_getLogs', () => new NodeRefusal(-32005, 'query returned more than 10000 results'));
    await expect(chain.getLogs(range, [], [])).rejects.toBeInstanceOf(LogRangeTooLarge);
  });
});

describe('calls at a block', () => {
  it('a call names the block by its hash (EIP-1898), and gives the data or the revert', async () => {
    primary.on('eth_call', () => '0x01');
    expect(await chain.ethCall({ from: SENDER, to: EMITTER, data: '0xaa', value: 16n }, BLOCK)).toBe('0x01');
    expect(primary.seen[0]?.params).toEqual([
      { from: SENDER, to: EMITTER, data: '0xaa', value: '0x10' },
      { blockHash: BLOCK },
    ]);
    primary.on('eth_call', () => new NodeRefusal(3, 'execution reverted', '0x08c379a0'));
    const reverted = await chain.ethCall({ to: EMITTER, data: '0x' }, BLOCK);
    expect(reverted).toBeInstanceOf(CallReverted);
    expect(reverted).toMatchObject({ data: '0x08c379a0' });
  });

  it('on a chain without Multicall3 the error of a multicall says so', async () => {
    both('eth_call', '0x');
    await expect(chain.multicall([{ to: EMITTER, data: '0x' }], BLOCK)).rejects.toThrow(
      /there is no Multicall3 at/,
    );
    expect(await chain.multicall([], BLOCK)).toEqual([]);
  });
});
