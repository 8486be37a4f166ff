import { Transaction } from 'ethers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RpcClient } from '../../devnet/chain/rpc.js';
import { CHIMERA, USD } from '../../testing/builders/plan.js';
import { type Bench, reverting, type Settings } from '../../testing/execution.js';
import { ExecutionWorld } from '../../testing/execution-world.js';
import { FakeRpc, NodeRefusal } from '../../testing/nodes/fake-rpc.js';
import { HaltError } from '../domain/errors.js';
import { ALICE } from '../../testing/builders/safety.js';
import { faultBegins } from '../../testing/fault-times.js';

const SEND = 'eth_sendRawTransaction';
const RECEIPT = 'eth_getTransactionReceipt';
const TRANSACTION = 'eth_getTransactionByHash';
const COUNT = 'eth_getTransactionCount';
const FALSE_COUNT = '0x1388';
const GAS_PRICE_ORACLE = '0x420000000000000000000000000000000000000f';
/** Answers every call with 10^15. */
const ANSWERS_MILLIETHER = `0x7f${(10n ** 15n).toString(16).padStart(64, '0')}5f5260205ff3`;
const MILLIETHER = 10n ** 15n;

describe('absence, and numbers of one answer, are no proof', { timeout: 120_000 }, () => {
  const world = ExecutionWorld.forThisFile();
  let node: FakeRpc;
  let chain: RpcClient;
  let bench: Bench;

  beforeEach(async () => {
    node = await FakeRpc.start();
    node.forwardTo(world.anvil.url);
    chain = new RpcClient(world.anvil.url);
  });

  afterEach(() => node.stop());

  const start = async (settings: Partial<Settings> = {}): Promise<void> => {
    bench = await world.start({ rpcUrl: node.url('http'), ...settings });
  };
  /** The honest node is the backup. */
  const startWithBackup = (): Promise<void> => start({ backupUrl: world.anvil.url });
  const honest = (): void => node.forwardTo(world.anvil.url);
  const state = () => bench.safety.status().state;

  it('F44 the nonce is counted, and the receipt is null for a while: nothing is dropped; the receipt settles it', async () => {
    await start();
    const { executionId } = await bench.submit(1);
    const fault = faultBegins();
    node.on(RECEIPT, () => null);
    await bench.mine(2);
    for (const seconds of [0, 1, 3, 20]) {
      bench.clock.putForward(seconds * 1_000);
      expect(await bench.settle()).toEqual([]);
    }
    expect([state(), await bench.statusOf(executionId)]).toEqual(['NORMAL', 'submitted']);
    fault.detected();
    fault.over();
    honest();
    expect(await bench.settle()).toMatchObject([{ executionId, outcome: 'won' }]);
    fault.recovered();
    expect(await bench.submit(2)).toMatchObject({ kind: 'submitted', nonce: 1 });
  });

  it('F44 a row that was booked too early is put right by the receipt that comes later', async () => {
    await start();
    const { executionId } = await bench.submit(1);
    node.on(RECEIPT, () => null);
    node.on(TRANSACTION, () => null);
    await bench.mine(2);
    expect(await bench.settle()).toEqual([]);
    bench.clock.putForward(11_000);
    expect(await bench.settle()).toEqual([]);
    bench.clock.putForward(2_000);
    await expect(bench.settle()).rejects.toBeInstanceOf(HaltError);
    expect(await bench.statusOf(executionId)).toBe('dropped: its nonce was used by another transaction');
    expect(await bench.bookedToday()).toBe(0n);

    honest();
    await bench.settle();
    expect(bench.news().at(-1) ?? bench.events.named('execution-settled').at(-1)).toMatchObject({
      executionId,
      outcome: 'won',
    });
    expect(await bench.executions.find(executionId)).toMatchObject({ status: 'succeeded', reason: null });
    expect(await bench.outboxOf(0)).toBe('mined');
    expect(await bench.bookedToday()).toBe(100n * USD);
    expect(bench.safety.volume.todayUsd8).toBe(100n * USD);
    await bench.safety.resume('the receipt was late', ALICE);
    expect(await bench.submit(2)).toMatchObject({ kind: 'submitted', nonce: 1 });
  });

  it('F44 a row that an earlier process dropped is put right too', async () => {
    await start();
    const { executionId } = await bench.submit(1);
    node.on(RECEIPT, () => null);
    node.on(TRANSACTION, () => null);
    await bench.mine(2);
    await bench.settle();
    bench.clock.putForward(13_000);
    await expect(bench.settle()).rejects.toBeInstanceOf(HaltError);
    honest();
    bench = await world.restart();
    await bench.settle();
    expect(await bench.executions.find(executionId)).toMatchObject({ status: 'succeeded' });
    expect(await bench.outboxOf(0)).toBe('mined');
  });

  it('F44 "nonce too low" for our own transaction, and its receipt later: no halt, nothing dropped', async () => {
    await start();
    node.on(SEND, async ([raw]) => {
      await chain.call(SEND, [raw]);
      await chain.call('anvil_mine', ['0x2']);
      return new NodeRefusal(-32000, 'nonce too low: next nonce 1, tx nonce 0');
    });
    node.on(RECEIPT, () => null);
    const { executionId, ...submission } = await bench.submit(1);
    expect(submission).toMatchObject({ kind: 'submitted', nonce: 0 });
    expect(await bench.settle()).toEqual([]);
    bench.clock.putForward(3_000);
    expect(await bench.settle()).toEqual([]);
    honest();
    expect(await bench.submit(2)).toMatchObject({ kind: 'submitted', nonce: 1 });
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject([{ executionId, outcome: 'won' }, { outcome: 'won' }]);
    expect(state()).toBe('NORMAL');
  });

  it('F44 one false transaction count of the only endpoint moves nothing; the next nonce is the right one', async () => {
    await start();
    node.on(COUNT, () => FALSE_COUNT);
    expect(await bench.settle()).toEqual([]);
    expect(await bench.submit(1)).toMatchObject({ kind: 'rejected', reason: 'nonce-in-question' });
    honest();
    expect(await bench.settle()).toEqual([]);
    expect(state()).toBe('NORMAL');
    expect(await bench.submit(2)).toMatchObject({ kind: 'submitted', nonce: 0 });
  });

  it('F44 a false count that stays halts; after it, and a resume, the count is taken anew', async () => {
    await start();
    node.on(COUNT, () => FALSE_COUNT);
    await bench.settle();
    bench.clock.putForward(6_000);
    await expect(bench.settle()).rejects.toBeInstanceOf(HaltError);
    honest();
    await bench.safety.resume('the node was wrong', ALICE);
    await bench.settle();
    bench.clock.putForward(6_000);
    await bench.settle();
    expect(await bench.submit(1)).toMatchObject({ kind: 'submitted', nonce: 0 });
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject([{ outcome: 'won' }]);
  });

  it('F44 one of two endpoints counts falsely for ever: the other one is heard, nothing halts', async () => {
    await startWithBackup();
    node.on(COUNT, () => FALSE_COUNT);
    for (let look = 0; look < 3; look++) {
      bench.clock.putForward(6_000);
      expect(await bench.settle()).toEqual([]);
    }
    expect(bench.events.named('transaction-count-disputed')).toMatchObject([{ lowest: 0, highest: 5_000 }]);
    expect(await bench.submit(1)).toMatchObject({ kind: 'submitted', nonce: 0 });
    honest();
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject([{ outcome: 'won' }]);
  });

  it('F44 a row of a nonce that a false count has made does not stop a later start', async () => {
    await start();
    const { executionId } = await bench.submit(1);
    await bench.rpc('anvil_dropAllTransactions');
    await bench.dataSource.query('UPDATE transactions SET nonce = 562949953421311');
    bench = await world.restart();
    expect(await bench.statusOf(executionId)).toContain('far beyond the chain');
    expect(await bench.submit(2)).toMatchObject({ kind: 'submitted', nonce: 0 });
  });

  it('F42 a receipt that only one of two endpoints gives is not booked, until both say the same', async () => {
    await startWithBackup();
    const { executionId } = await bench.submit(1);
    await bench.mine(2);
    const fault = faultBegins();
    node.on(RECEIPT, async ([hash]) => {
      const receipt = (await chain.call(RECEIPT, [hash])) as object;
      return { ...receipt, status: '0x0', logs: [] };
    });
    expect(await bench.settle()).toEqual([]);
    expect(await bench.settle()).toEqual([]);
    expect(bench.events.named('receipt-disputed')).toMatchObject([{ executionId }]);
    fault.detected();
    expect(await bench.bookedToday()).toBe(100n * USD);
    expect(bench.safety.status()).toMatchObject({ state: 'NORMAL', consecutiveFailures: 0 });
    honest();
    fault.over();
    expect(await bench.settle()).toMatchObject([{ executionId, outcome: 'won' }]);
    fault.recovered();
  });

  it('F42 a true revert is booked when both endpoints say it', async () => {
    await startWithBackup();
    const { executionId } = await bench.submit(1, { data: reverting('0x') });
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject([{ executionId, status: 'reverted' }]);
    expect(await bench.bookedToday()).toBe(0n);
  });

  it.each([
    ['a gas price of 0', { effectiveGasPrice: '0x0' }],
    ['a gas price below the tip that was signed', { effectiveGasPrice: '0x1' }],
    ['a gas price above what was signed', { effectiveGasPrice: '0x174876e800' }],
    ['less gas than any transaction uses', { gasUsed: '0x1' }],
    ['more gas than its limit', { gasUsed: '0x1c9c380' }],
  ])('F42 a receipt with %s is not booked, with one endpoint too; the true one is', async (_, lie) => {
    await start();
    const { executionId } = await bench.submit(1);
    await bench.mine(2);
    node.on(RECEIPT, async ([hash]) => ({ ...((await chain.call(RECEIPT, [hash])) as object), ...lie }));
    expect(await bench.settle()).toEqual([]);
    expect(bench.events.named('receipt-disputed')).toMatchObject([{ executionId }]);
    const { spent, reserved } = bench.execution.spending();
    expect(spent.feeWei).toBe(0n);
    expect(reserved.feeWei).toBeGreaterThan(0n);
    honest();
    expect(await bench.settle()).toMatchObject([{ executionId, outcome: 'won' }]);
    expect(bench.execution.spending()).toMatchObject({ reserved: { feeWei: 0n } });
  });

  it('F42 a gas price that one of two endpoints makes lower gives nothing back to the budget', async () => {
    await startWithBackup();
    const { executionId } = await bench.submit(1);
    await bench.mine(2);
    node.on(RECEIPT, async ([hash]) => {
      const receipt = (await chain.call(RECEIPT, [hash])) as object;
      return { ...receipt, effectiveGasPrice: '0x1' };
    });
    expect(await bench.settle()).toEqual([]);
    expect(bench.execution.spending().reserved.feeWei).toBeGreaterThan(0n);
    honest();
    expect(await bench.settle()).toMatchObject([{ executionId, outcome: 'won' }]);
  });

  it('F42 an endpoint that needs longer than a look may wait is heard at a later look', async () => {
    await startWithBackup();
    const { executionId } = await bench.submit(1);
    await bench.mine(2);
    node.failMethod(RECEIPT, { kind: 'slow', ms: 800 });
    const looks = [await bench.settle(), await bench.settle(), await bench.settle()];
    expect(looks.flat()).toMatchObject([{ executionId, outcome: 'won' }]);
  });

  it('F42 the fees beside gas are heard from both endpoints: one that leaves them out gives nothing back', async () => {
    await startWithBackup();
    await bench.rpc('anvil_setCode', [GAS_PRICE_ORACLE, ANSWERS_MILLIETHER]);
    const { executionId } = await bench.submit(1);
    await bench.mine(2);
    node.on('eth_call', () => '0x');
    expect(await bench.settle()).toEqual([]);
    expect(await bench.settle()).toEqual([]);
    expect(bench.events.named('receipt-disputed')).toMatchObject([{ executionId }]);
    expect(bench.execution.spending().spent.feeWei).toBe(0n);
    // Silent instead: after a minute the word of the other one is enough.
    node.on('eth_call', () => new NodeRefusal(-32000, 'not now'));
    expect(await bench.settle()).toEqual([]);
    bench.clock.putForward(60_000);
    expect(await bench.settle()).toMatchObject([{ executionId, outcome: 'won' }]);
    // L1 data and operator fee.
    expect(bench.execution.spending().spent.feeWei).toBeGreaterThan(2n * MILLIETHER);
    await bench.rpc('anvil_setCode', [GAS_PRICE_ORACLE, '0x']);
  });

  it('a delegated account has one transaction in flight; the next is sent in its turn, then one at a time', async () => {
    await start({ confirmationBlocks: 0 });
    const { address } = bench.signer;
    await bench.rpc('anvil_setCode', [address, `0xef0100${CHIMERA.slice(2)}`]);
    node.on(SEND, async ([raw]) => {
      const { nonce } = Transaction.from(String(raw));
      if (nonce === Number(await chain.call(COUNT, [address, 'latest']))) return chain.call(SEND, [raw]);
      return new NodeRefusal(-32000, 'in-flight transaction limit reached for delegated accounts');
    });
    await bench.submit(1);
    expect(await bench.submit(2)).toMatchObject({ kind: 'submitted', nonce: 1, accepted: false });
    expect(await bench.submit(3)).toMatchObject({ kind: 'rejected', reason: 'one-at-a-time' });
    await bench.mine();
    expect(await bench.settle()).toMatchObject([{ outcome: 'won' }]);
    await bench.mine();
    expect(await bench.settle()).toMatchObject([{ outcome: 'won' }]);
    expect(bench.pool.status()).toMatchObject([{ state: 'ok' }]);
    expect(state()).toBe('NORMAL');

    honest();
    await bench.rpc('anvil_setCode', [address, '0x']);
    await bench.settle();
    const together = [await bench.submit(4), await bench.submit(5)];
    expect(together).toMatchObject([{ accepted: true }, { accepted: true }]);
  });

  it('a full pool is temporary: the transaction is kept, proved, and sent again', async () => {
    await start();
    node.on(SEND, () => new NodeRefusal(-32000, 'txpool is full'));
    const { executionId, ...submission } = await bench.submit(1);
    expect(submission).toMatchObject({ kind: 'submitted', accepted: false });
    honest();
    await bench.pass(2);
    expect(await bench.settle()).toEqual([]);
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject([{ executionId, outcome: 'won' }]);
    expect(state()).toBe('NORMAL');
  });
});
