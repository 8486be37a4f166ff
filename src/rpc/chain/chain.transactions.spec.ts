import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { startFakePool, type FakePool } from '../../../testing/nodes/fake-pool.js';
import {
  EMITTER,
  hashOf,
  html502,
  logOf,
  NodeRefusal,
  TX,
  type FakeRpc,
} from '../../../testing/nodes/fake-rpc.js';
import type { Address, Hash } from '../../domain/hex.js';
import { Chain } from './chain.js';
import type { SendOutcome } from './send-transaction.js';
import {
  AlreadyKnown,
  DelegatedAccountLimit,
  InsufficientFunds,
  NonceTooLow,
  NoPlaceInPool,
  ReplacementUnderpriced,
} from '../rpc-errors.js';
import type { CallOptions } from '../endpoints/rpc-call.js';

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

const receipt = (fields: object = {}): object => ({
  transactionHash: TX,
  blockHash: BLOCK,
  blockNumber: '0x9',
  transactionIndex: '0x1',
  status: '0x1',
  from: SENDER,
  to: EMITTER.toUpperCase().replace('X', 'x'),
  gasUsed: '0x5208',
  effectiveGasPrice: '0x4c4b40',
  logs: [log()],
  ...fields,
});

/** Both nodes answer this, so that failover changes nothing. */
const both = (method: string, result: unknown): void => {
  for (const node of [primary, backup]) node.on(method, () => result);
};

describe('receipts', () => {
  it('a receipt is typed, with the L1 data fee of an OP-stack chain where there is one', async () => {
    primary.on('eth_getTransactionReceipt', () => receipt({ l1Fee: '0x7' }));
    expect(await chain.getTransactionReceipt(TX)).toEqual({
      transactionHash: TX,
      blockHash: BLOCK,
      blockNumber: 9,
      transactionIndex: 1,
      status: 'success',
      from: SENDER,
      to: EMITTER,
      gasUsed: 21_000n,
      effectiveGasPrice: 5_000_000n,
      l1Fee: 7n,
      logs: [expect.objectContaining({ address: EMITTER, logIndex: 0 })],
    });
    primary.on('eth_getTransactionReceipt', () => receipt({ status: '0x0', to: null }));
    expect(await chain.getTransactionReceipt(TX)).toMatchObject({
      status: 'reverted',
      to: undefined,
      l1Fee: undefined,
    });
  });

  it('the receipt of a transaction that is not mined is undefined', async () => {
    primary.on('eth_getTransactionReceipt', () => null);
    expect(await chain.getTransactionReceipt(TX)).toBeUndefined();
  });

  it('F43 a receipt of a block above the head of its own endpoint is of no sealed block yet', async () => {
    primary.on('eth_getTransactionReceipt', () => receipt({ blockNumber: '0x65' }));
    expect(await chain.getTransactionReceipt(TX)).toBeUndefined();
    primary.head = 0x65;
    expect(await chain.getTransactionReceipt(TX)).toMatchObject({ blockNumber: 0x65 });
  });

  it('F10 the receipt of another transaction is rejected, and the backup is asked', async () => {
    primary.on('eth_getTransactionReceipt', () => receipt({ transactionHash: OTHER_TX }));
    backup.on('eth_getTransactionReceipt', () => receipt({ status: '0x0' }));
    expect(await chain.getTransactionReceipt(TX)).toMatchObject({ transactionHash: TX, status: 'reverted' });
    both('eth_getTransactionReceipt', receipt({ transactionHash: OTHER_TX }));
    await expect(chain.getTransactionReceipt(TX)).rejects.toMatchObject({ kind: 'bad-answer' });
    primary.on('eth_getTransactionReceipt', () => receipt());
    expect(await chain.getTransactionReceipt(TX)).toMatchObject({ transactionHash: TX, status: 'success' });
  });

  it.each([
    ['a log of another transaction', { logs: [log({ transactionHash: OTHER_TX })] }],
    ['a log of another block', { logs: [log({ blockHash: hashOf(8) })] }],
    ['an unknown status', { status: '0x2' }],
    ['no gas price', { effectiveGasPrice: undefined }],
  ])('F10 a receipt with %s is rejected', async (_name, fields) => {
    both('eth_getTransactionReceipt', receipt(fields));
    await expect(chain.getTransactionReceipt(TX)).rejects.toMatchObject({ kind: 'bad-answer' });
  });

  it('F10 another transaction than the one looked up by its hash is rejected', async () => {
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

  it('a transaction goes to every live endpoint, once', async () => {
    both(SEND, TX);
    expect(await send()).toEqual({ kind: 'accepted', alreadyKnown: false });
    await fakes.pool.probe();
    expect(primary.seenOf(SEND)).toEqual([{ method: SEND, params: ['0x02aa'] }]);
    expect(backup.seenOf(SEND)).toHaveLength(1);
  });

  it('it does not wait for an endpoint that never answers when another one has accepted', async () => {
    primary.fault = { kind: 'black-hole' };
    backup.on(SEND, () => TX);
    // Longer than this test may take.
    expect(await send({ deadlineMs: 60_000 })).toMatchObject({ kind: 'accepted' });
  });

  it('F24 "already known" is a success', async () => {
    primary.on(SEND, refuse('already known'));
    backup.fault = html502;
    expect(await send()).toEqual({ kind: 'accepted', alreadyKnown: true });
    await expect(fakes.pool.call(SEND, [], String)).rejects.toBeInstanceOf(AlreadyKnown);
  });

  it('F05 after a reset the outcome is unknown, and the transaction is not sent again', async () => {
    both(SEND, TX);
    primary.fault = { kind: 'reset' };
    backup.fault = { kind: 'reset' };
    expect(await send()).toMatchObject({ kind: 'unknown' });
    expect([primary.seenOf(SEND).length, backup.seenOf(SEND).length]).toEqual([1, 1]);
  });

  it('F05 after a reset of an idle connection the transaction is not sent again either', async () => {
    await Promise.all([chain.getBlock('latest'), fakes.pool.probe()]);
    both(SEND, TX);
    for (const node of [primary, backup]) node.failMethod(SEND, { kind: 'reset' });
    expect(await send()).toMatchObject({ kind: 'unknown' });
    expect([primary.seenOf(SEND).length, backup.seenOf(SEND).length]).toEqual([1, 1]);
  });

  it('F05 after a timeout the outcome is unknown, even when the other endpoint refuses', async () => {
    primary.fault = { kind: 'black-hole' };
    backup.on(SEND, refuse('nonce too low'));
    const outcome = await send({ deadlineMs: 500 });
    expect(outcome.kind).toBe('unknown');
    expect(outcome).toHaveProperty(
      'detail',
      expect.stringContaining('primary: no answer to eth_sendRawTransaction'),
    );
  });

  it('F10 a node that answers another hash has not accepted it', async () => {
    both(SEND, OTHER_TX);
    expect(await send()).toMatchObject({ kind: 'unknown' });
    backup.on(SEND, () => TX);
    expect(await send()).toMatchObject({ kind: 'accepted' });
  });

  it.each([
    ['nonce too low: next nonce 5, tx nonce 4', 'txpool is full', NonceTooLow],
    ['nonce too low', 'insufficient funds for gas * price + value', NonceTooLow],
    ['insufficient funds for gas * price + value', 'txpool is full', InsufficientFunds],
    [
      'replacement transaction underpriced',
      'in-flight transaction limit reached for delegated accounts',
      ReplacementUnderpriced,
    ],
    ['in-flight transaction limit reached for delegated accounts', 'txpool is full', DelegatedAccountLimit],
    ['txpool is full', 'the stars are not right', NoPlaceInPool],
  ])('when all endpoints refuse, "%s" says more than "%s"', async (telling, other, kind) => {
    for (const [first, second] of [
      [telling, other],
      [other, telling],
    ] as const) {
      primary.on(SEND, refuse(first));
      backup.on(SEND, refuse(second));
      const outcome = await send();
      expect(outcome).toMatchObject({ kind: 'refused', error: { reason: telling } });
      expect(outcome).toHaveProperty('error', expect.any(kind));
    }
  });

  it('nothing is sent when no endpoint may be used', async () => {
    primary.chainId = 1;
    backup.chainId = 1;
    await fakes.pool.probe();
    await expect(send()).rejects.toMatchObject({ kind: 'provider' });
    expect([primary.seenOf(SEND).length, backup.seenOf(SEND).length]).toEqual([0, 0]);
  });
});
