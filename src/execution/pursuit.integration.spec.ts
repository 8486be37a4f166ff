import { describe, expect, it, vi } from 'vitest';
import { ExecutionWorld } from '../../testing/execution-world.js';
import { CHIMERA, USD } from '../../testing/builders/plan.js';
import { answering, type Bench, STAND_IN_CODE } from '../../testing/execution.js';
import type { Hex } from '../domain/hex.js';
import { NonceTooLow } from '../rpc/rpc-errors.js';
import { MOST_BUMPS } from './pursuit.js';
import { ALICE } from '../../testing/builders/safety.js';
import { faultBegins } from '../../testing/fault-times.js';

/** Contract code that reverts without a reason. */
const REVERTS: Hex = '0x5f5ffd';

/** A call that waits in the pool as soon as the base fee is above a tenth of a gwei. */
const CHEAP = {
  to: CHIMERA,
  data: '0x',
  gasLimit: 500_000n,
  maxFeePerGas: 10n ** 8n,
  maxPriorityFeePerGas: 10n,
} as const;

describe('what is in flight and is not mined', { timeout: 120_000 }, () => {
  const world = ExecutionWorld.forThisFile();
  let bench: Bench;

  /** The kinds of all signed versions, by their order. */
  const versions = async (): Promise<string[]> => {
    const rows: { kind: string }[] = await bench.dataSource.query(
      'SELECT kind FROM transaction_versions ORDER BY id',
    );
    return rows.map(({ kind }) => kind);
  };
  const replaced = () => bench.events.named('transaction-replaced');
  const mineAt = async (baseFeeWei: number, blocks: number): Promise<void> => {
    for (let block = 0; block < blocks; block++) {
      await bench.rpc('anvil_setNextBlockBaseFeePerGas', [`0x${baseFeeWei.toString(16)}`]);
      await bench.pass(1);
    }
  };
  /** The chain passes at a base fee of one gwei, and does not take a cheap transaction. */
  const pass = (blocks: number): Promise<void> => mineAt(10 ** 9, blocks);
  const mineCheap = (blocks: number): Promise<void> => mineAt(1, blocks);

  it('F20 a stuck transaction is bumped on both fees, and the version that is mined ends in the rows', async () => {
    bench = await world.start();
    await mineCheap(2);
    const { executionId } = await bench.submit(1, { call: CHEAP });
    const fault = faultBegins();
    await pass(2);
    await bench.settle();
    expect(replaced()).toMatchObject([{ kind: 'bump', nonce: 0 }]);
    fault.detected();
    fault.over();
    expect(await versions()).toEqual(['first', 'bump']);
    const bumped = replaced()[0]!.hash;
    await mineCheap(3);
    expect(await bench.settle()).toMatchObject([{ executionId, outcome: 'won', hash: bumped }]);
    fault.recovered();
    expect(await bench.outboxRows()).toEqual([`0 ${bumped} mined`]);
    expect(await bench.executions.find(executionId)).toMatchObject({ status: 'succeeded', txHash: bumped });
    expect(await bench.count()).toBe(1);
    expect(await bench.submit(2)).toMatchObject({ kind: 'submitted', nonce: 1 });
  });

  it('F20 after the last bump it is given up: the cancellation is mined, and is booked with its cost', async () => {
    bench = await world.start();
    const { executionId } = await bench.submit(1);
    // Nothing is mined: the pools lose it each time, and a node has taken it.
    for (let round = 0; round <= MOST_BUMPS; round++) {
      await bench.rpc('anvil_dropAllTransactions');
      await bench.pass(64);
      await bench.settle();
    }
    expect(await versions()).toEqual(['first', ...Array<string>(MOST_BUMPS).fill('bump'), 'cancellation']);
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject([
      { executionId, status: 'cancelled', outcome: 'stale', reason: 'it was not mined after 3 fee bumps' },
    ]);
    const row = await bench.executions.find(executionId);
    expect(row).toMatchObject({ status: 'cancelled', gasUsed: 21_000n });
    expect(row?.realisedProfitUsd8).toBeLessThan(0n);
    expect(await bench.bookedToday()).toBe(0n);
    expect(bench.safety.status()).toMatchObject({ state: 'NORMAL', consecutiveFailures: 0 });
    expect(await bench.submit(2)).toMatchObject({ kind: 'submitted', nonce: 1 });
  });

  it('blocks that come faster than usual do not hurry it: seconds pass by the clock first', async () => {
    bench = await world.start();
    await mineCheap(2);
    await bench.submit(1, { call: CHEAP });
    const send = vi.spyOn(bench.chain, 'sendRawTransactions');
    for (let block = 0; block < 12; block++) {
      await bench.rpc('anvil_setNextBlockBaseFeePerGas', ['0x3b9aca00']);
      await bench.mine();
    }
    await bench.settle();
    expect(send).not.toHaveBeenCalled();
    expect(replaced()).toEqual([]);
    bench.clock.putForward(4_000);
    await bench.settle();
    expect(replaced()).toMatchObject([{ kind: 'bump', nonce: 0 }]);
  });

  it('all that are taken up again leave together, behind one simulation', async () => {
    bench = await world.start();
    const submitted = await Promise.all([1, 2, 3].map((number) => bench.submit(number)));
    await bench.rpc('anvil_dropAllTransactions');
    const send = vi.spyOn(bench.chain, 'sendRawTransactions');
    await bench.pass(3);
    await bench.settle();
    expect(send.mock.calls.map(([all]) => all.length)).toEqual([submitted.length]);
    await bench.mine(2);
    expect(await bench.settle()).toHaveLength(submitted.length);
  });

  it('F23 "nonce too low" for one of which an earlier version was mined stops no new plan', async () => {
    bench = await world.start();
    await mineCheap(2);
    const send = vi.spyOn(bench.chain, 'sendRawTransactions');
    await bench.submit(1, { call: CHEAP });
    // The bump changes the transaction that was handed over: its first bytes are kept here.
    const { raw } = send.mock.calls[0]![0][0]!;
    await pass(2);
    send.mockImplementationOnce((all) =>
      all.map(async () => {
        await bench.rpc('anvil_dropAllTransactions');
        await bench.rpc('anvil_setNextBlockBaseFeePerGas', ['0x1']);
        await bench.rpc('eth_sendRawTransaction', [raw]);
        await bench.mine();
        return { kind: 'refused', error: new NonceTooLow(-32000, 'nonce too low') } as const;
      }),
    );
    await bench.settle();
    expect(await versions()).toEqual(['first', 'bump']);
    expect(await bench.count()).toBe(1);
    expect(await bench.submit(2)).toMatchObject({ kind: 'submitted', nonce: 1 });
  });

  it('F21 fees above its profit are not offered: it is cancelled with the reason', async () => {
    bench = await world.start();
    await mineCheap(2);
    const { executionId } = await bench.submit(1, { call: CHEAP, netProfitUsd8: 5n * USD + 1n });
    const fault = faultBegins();
    await pass(2);
    await bench.settle();
    const reason = 'fees that are mined now would take its profit below the floor';
    expect(replaced()).toMatchObject([{ kind: 'cancellation', reason }]);
    fault.detected();
    fault.over();
    await mineCheap(2);
    expect(await bench.settle()).toMatchObject([{ executionId, status: 'cancelled', reason }]);
    fault.recovered();
  });

  it('F51 a resume finds a transaction that would revert: it is not sent again, its nonce is freed', async () => {
    bench = await world.start();
    const { executionId } = await bench.submit(1);
    await bench.submit(2);
    await bench.rpc('anvil_dropAllTransactions');
    await bench.safety.raise('books', 'HALTED', 'stop');
    await bench.rpc('anvil_setCode', [CHIMERA, REVERTS]);
    const send = vi.spyOn(bench.chain, 'sendRawTransactions');
    await bench.pass(3);
    await bench.settle();
    expect(send).not.toHaveBeenCalled();
    expect(await versions()).toEqual(['first', 'first']);
    expect(await bench.execution.prospect()).toEqual({ sentAgain: 0, cancelled: 2 });

    const fault = faultBegins();
    await bench.safety.resume('go on', ALICE);
    await bench.settle();
    expect(await versions()).toEqual(['first', 'first', 'cancellation', 'cancellation']);
    fault.detected();
    fault.over();
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject([
      { executionId, status: 'cancelled', reason: 'it would revert now' },
      { status: 'cancelled' },
    ]);
    await bench.rpc('anvil_setCode', [CHIMERA, STAND_IN_CODE]);
    expect(await bench.submit(3)).toMatchObject({ kind: 'submitted', nonce: 2 });
    fault.recovered();
  });

  it('F51 a restart finds old transactions: the good one is sent again, the one that would revert is cancelled', async () => {
    bench = await world.start();
    const good = await bench.submit(1);
    const bad = await bench.submit(2, { data: `0x${'0'.repeat(63)}1` });
    await bench.rpc('anvil_dropAllTransactions');
    bench = await world.restart();
    expect(await versions()).toEqual(['first', 'first', 'cancellation']);
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject([
      { executionId: good.executionId, status: 'succeeded' },
      { executionId: bad.executionId, status: 'cancelled' },
    ]);
  });

  it('F51 a crash after the cancellation was signed: the next process sends it, and asks for every version', async () => {
    bench = await world.start();
    const { executionId } = await bench.submit(1);
    await bench.rpc('anvil_dropAllTransactions');
    await bench.rpc('anvil_setCode', [CHIMERA, REVERTS]);
    await bench.pass(3);
    vi.spyOn(bench.chain, 'sendRawTransactions').mockImplementation(
      answering({ kind: 'unknown', detail: 'no answer' }),
    );
    await bench.settle();
    await bench.settle();
    vi.restoreAllMocks();
    bench = await world.restart();
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject([{ executionId, status: 'cancelled' }]);
    await bench.rpc('anvil_setCode', [CHIMERA, STAND_IN_CODE]);
  });

  it('F22 a gap that no plan takes is filled by a cancellation', async () => {
    bench = await world.start();
    await bench.submit(1);
    await bench.submit(2);
    await bench.rpc('anvil_dropAllTransactions');
    // As an operator's hand, or a restored backup, leaves it: no row holds nonce 0 any more.
    await bench.dataSource.query(`UPDATE transactions SET status = 'dropped' WHERE nonce = 0`);
    bench = await world.restart();
    const fault = faultBegins(() => bench.clock.monotonicMs());
    await bench.mine(2);
    await bench.settle();
    expect(await bench.count()).toBe(0);
    bench.clock.putForward(31_000);
    await bench.settle();
    expect(replaced()).toMatchObject([
      { nonce: 0, kind: 'cancellation', reason: 'later transactions wait for its nonce' },
    ]);
    fault.detected();
    fault.over();
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject([{ status: 'cancelled' }, { status: 'succeeded' }]);
    fault.recovered();
    expect(await bench.count()).toBe(2);
  });
});
