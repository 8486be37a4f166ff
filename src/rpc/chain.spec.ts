import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { startFakePool, type FakePool } from '../../test/fault/fake-pool.js';
import { hashOf, html502, NodeRefusal, type FakeRpc } from '../../test/fault/fake-rpc.js';
import type { Address, Hash } from '../domain/hex.js';
import { Chain, type SendOutcome } from './chain.js';
import { AlreadyKnown, CallReverted, LogRangeTooLarge, NonceTooLow } from './rpc-errors.js';
import type { CallOptions } from './rpc-pool.js';

const TX: Hash = `0x${'ab'.repeat(32)}`;
const OTHER_TX: Hash = `0x${'cd'.repeat(32)}`;
const TOKEN: Address = `0x${'11'.repeat(20)}`;
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

const log = (fields: object = {}): object => ({
  address: TOKEN,
  topics: [TX],
  data: '0x01',
  blockNumber: '0x9',
  blockHash: BLOCK,
  transactionHash: TX,
  logIndex: '0x0',
  removed: false,
  ...fields,
});

const receipt = (fields: object = {}): object => ({
  transactionHash: TX,
  blockHash: BLOCK,
  blockNumber: '0x9',
  transactionIndex: '0x1',
  status: '0x1',
  from: SENDER,
  to: TOKEN.toUpperCase().replace('X', 'x'),
  gasUsed: '0x5208',
  effectiveGasPrice: '0x4c4b40',
  logs: [log()],
  ...fields,
});

/** Both nodes give this, so that it is the last word. */
const both = (method: string, result: unknown): void => {
  for (const node of [primary, backup]) node.on(method, () => result);
};

describe('blocks', () => {
  it('are asked for by hash, number and tag', async () => {
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

  it('F07 one that only the backup has comes from there; one that none has is out of sync', async () => {
    primary.head = 8;
    expect(await chain.getBlock(BLOCK)).toMatchObject({ number: 9 });
    backup.head = 8;
    await expect(chain.getBlock(BLOCK)).rejects.toMatchObject({ kind: 'out-of-sync' });
  });

  it('F10 another block than the one asked for is not taken', async () => {
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
  ])('F03 a header with %s = %s is not taken', async (field, value) => {
    const sound = {
      number: '0x9',
      hash: BLOCK,
      parentHash: hashOf(8),
      timestamp: '0x1',
      baseFeePerGas: '0x1',
    };
    both('eth_getBlockByNumber', { ...sound, [field]: value });
    await expect(chain.getBlock('latest')).rejects.toMatchObject({ kind: 'bad-answer' });
  });
});

describe('logs', () => {
  const range = { fromBlock: 9, toBlock: 10 };

  it('are typed, in the order of the chain, and asked for with the whole filter', async () => {
    primary.on('eth_getLogs', () => [log({ logIndex: '0x2' }), log({ blockNumber: '0x9', logIndex: '0x1' })]);
    const logs = await chain.getLogs(range, [TOKEN], [[TX], null]);
    expect(logs.map(({ logIndex }) => logIndex)).toEqual([1, 2]);
    expect(logs[0]).toEqual({
      address: TOKEN,
      topics: [TX],
      data: '0x01',
      blockNumber: 9,
      blockHash: BLOCK,
      transactionHash: TX,
      logIndex: 1,
    });
    expect(primary.seen[0]?.params).toEqual([
      { fromBlock: '0x9', toBlock: '0xa', address: [TOKEN], topics: [[TX], null] },
    ]);
  });

  it.each([
    ['of another address', { address: SENDER }],
    ['outside the range', { blockNumber: '0xb' }],
    ['removed by a reorg', { removed: true }],
    ['with a cut topic', { topics: ['0x12'] }],
    ['with odd data', { data: '0x123' }],
    ['still waiting', { blockNumber: null, blockHash: null }],
  ])('F03 a log %s is not taken', async (_name, fields) => {
    both('eth_getLogs', [log(fields)]);
    await expect(chain.getLogs(range, [TOKEN], [])).rejects.toMatchObject({ kind: 'bad-answer' });
  });

  it('of another block than the hash asked for are not taken', async () => {
    both('eth_getLogs', [log()]);
    expect(await chain.getLogs({ blockHash: BLOCK }, [], [])).toHaveLength(1);
    await expect(chain.getLogs({ blockHash: hashOf(10) }, [], [])).rejects.toMatchObject({
      kind: 'bad-answer',
    });
  });

  it('F11 a range beyond the provider is said to be so', async () => {
    primary.on('eth_getLogs', () => new NodeRefusal(-32005, 'query returned more than 10000 results'));
    await expect(chain.getLogs(range, [], [])).rejects.toBeInstanceOf(LogRangeTooLarge);
  });
});

describe('calls at a block', () => {
  it('name the block by its hash (EIP-1898), and give the data or the revert', async () => {
    primary.on('eth_call', () => '0x01');
    expect(await chain.ethCall({ from: SENDER, to: TOKEN, data: '0xaa', value: 16n }, BLOCK)).toBe('0x01');
    expect(primary.seen[0]?.params).toEqual([
      { from: SENDER, to: TOKEN, data: '0xaa', value: '0x10' },
      { blockHash: BLOCK },
    ]);
    primary.on('eth_call', () => new NodeRefusal(3, 'execution reverted', '0x08c379a0'));
    const reverted = await chain.ethCall({ to: TOKEN, data: '0x' }, BLOCK);
    expect(reverted).toBeInstanceOf(CallReverted);
    expect(reverted).toMatchObject({ data: '0x08c379a0' });
  });

  it('without a Multicall3 on the chain a multicall says so', async () => {
    both('eth_call', '0x');
    await expect(chain.multicall([{ to: TOKEN, data: '0x' }], BLOCK)).rejects.toThrow(
      /there is no Multicall3 at/,
    );
    expect(await chain.multicall([], BLOCK)).toEqual([]);
  });
});

describe('receipts', () => {
  it('are typed, with the data fee of an OP-stack chain where there is one', async () => {
    primary.on('eth_getTransactionReceipt', () => receipt({ l1Fee: '0x7' }));
    expect(await chain.getTransactionReceipt(TX)).toEqual({
      transactionHash: TX,
      blockHash: BLOCK,
      blockNumber: 9,
      transactionIndex: 1,
      status: 'success',
      from: SENDER,
      to: TOKEN,
      gasUsed: 21_000n,
      effectiveGasPrice: 5_000_000n,
      l1Fee: 7n,
      logs: [expect.objectContaining({ address: TOKEN, logIndex: 0 })],
    });
    primary.on('eth_getTransactionReceipt', () => receipt({ status: '0x0', to: null }));
    expect(await chain.getTransactionReceipt(TX)).toMatchObject({
      status: 'reverted',
      to: undefined,
      l1Fee: undefined,
    });
  });

  it('of a transaction that is not mined are undefined', async () => {
    primary.on('eth_getTransactionReceipt', () => null);
    expect(await chain.getTransactionReceipt(TX)).toBeUndefined();
  });

  it('F10 of another transaction are rejected, and the backup is asked', async () => {
    primary.on('eth_getTransactionReceipt', () => receipt({ transactionHash: OTHER_TX }));
    backup.on('eth_getTransactionReceipt', () => receipt({ status: '0x0' }));
    expect(await chain.getTransactionReceipt(TX)).toMatchObject({ transactionHash: TX, status: 'reverted' });
    both('eth_getTransactionReceipt', receipt({ transactionHash: OTHER_TX }));
    await expect(chain.getTransactionReceipt(TX)).rejects.toMatchObject({ kind: 'bad-answer' });
  });

  it.each([
    ['a log of another transaction', { logs: [log({ transactionHash: OTHER_TX })] }],
    ['a log of another block', { logs: [log({ blockHash: hashOf(8) })] }],
    ['a status that is none', { status: '0x2' }],
    ['no gas price', { effectiveGasPrice: undefined }],
  ])('F10 with %s are rejected', async (_name, fields) => {
    both('eth_getTransactionReceipt', receipt(fields));
    await expect(chain.getTransactionReceipt(TX)).rejects.toMatchObject({ kind: 'bad-answer' });
  });

  it('F10 the same holds for a transaction looked up by its hash', async () => {
    const waiting = { hash: TX, from: SENDER, nonce: '0x3', blockNumber: null, blockHash: null };
    primary.on('eth_getTransactionByHash', () => waiting);
    expect(await chain.getTransaction(TX)).toEqual({
      hash: TX,
      from: SENDER,
      nonce: 3,
      blockNumber: undefined,
      blockHash: undefined,
    });
    both('eth_getTransactionByHash', { ...waiting, hash: OTHER_TX });
    await expect(chain.getTransaction(TX)).rejects.toMatchObject({ kind: 'bad-answer' });
  });
});

describe('sending', () => {
  const SEND = 'eth_sendRawTransaction';
  const send = (options?: CallOptions): Promise<SendOutcome> =>
    chain.sendRawTransaction('0x02aa', TX, options);
  const refuse = (message: string) => () => new NodeRefusal(-32000, message);

  it('goes to every live endpoint, once', async () => {
    both(SEND, TX);
    expect(await send()).toEqual({ kind: 'accepted', alreadyKnown: false });
    await fakes.pool.probe();
    expect(primary.seenOf(SEND)).toEqual([{ method: SEND, params: ['0x02aa'] }]);
    expect(backup.seenOf(SEND)).toHaveLength(1);
  });

  it('does not wait for a black hole when another endpoint has it', async () => {
    primary.fault = { kind: 'black-hole' };
    backup.on(SEND, () => TX);
    const started = performance.now();
    expect(await send({ deadlineMs: 5_000 })).toMatchObject({ kind: 'accepted' });
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('F24 "already known" is a success', async () => {
    primary.on(SEND, refuse('already known'));
    backup.fault = html502;
    expect(await send()).toEqual({ kind: 'accepted', alreadyKnown: true });
    await expect(fakes.pool.call(SEND, [], String)).rejects.toBeInstanceOf(AlreadyKnown);
  });

  it('F05 a reset in mid-send is unknown, and is not sent again by itself', async () => {
    both(SEND, TX);
    primary.fault = { kind: 'reset' };
    backup.fault = { kind: 'reset' };
    expect(await send()).toMatchObject({ kind: 'unknown' });
    expect([primary.seenOf(SEND).length, backup.seenOf(SEND).length]).toEqual([1, 1]);
  });

  it('F05 a reset of a connection used before is not sent again either', async () => {
    await Promise.all([chain.getBlock('latest'), fakes.pool.probe()]);
    both(SEND, TX);
    for (const node of [primary, backup]) node.failMethod(SEND, { kind: 'reset' });
    expect(await send()).toMatchObject({ kind: 'unknown' });
    expect([primary.seenOf(SEND).length, backup.seenOf(SEND).length]).toEqual([1, 1]);
  });

  it('F05 a timeout is unknown, even when the other endpoint refuses', async () => {
    primary.fault = { kind: 'black-hole' };
    backup.on(SEND, refuse('nonce too low'));
    const outcome = await send();
    expect(outcome.kind).toBe('unknown');
    expect(outcome).toHaveProperty(
      'detail',
      expect.stringContaining('primary: no answer to eth_sendRawTransaction'),
    );
  });

  it('F10 a node that names another hash has not accepted it', async () => {
    both(SEND, OTHER_TX);
    expect(await send()).toMatchObject({ kind: 'unknown' });
    backup.on(SEND, () => TX);
    expect(await send()).toMatchObject({ kind: 'accepted' });
  });

  it('a refusal by all is refused, with the class of the first', async () => {
    primary.on(SEND, refuse('nonce too low: next nonce 5, tx nonce 4'));
    backup.on(SEND, refuse('insufficient funds for gas * price + value'));
    const outcome = await send();
    expect(outcome.kind).toBe('refused');
    expect(outcome).toHaveProperty('error', expect.any(NonceTooLow));
  });

  it('nothing is sent when no endpoint may be used', async () => {
    primary.chainId = 1;
    backup.chainId = 1;
    await fakes.pool.probe();
    await expect(send()).rejects.toMatchObject({ kind: 'provider' });
    expect([primary.seenOf(SEND).length, backup.seenOf(SEND).length]).toEqual([0, 0]);
  });
});
