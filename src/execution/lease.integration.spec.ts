import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { eventually } from '../../testing/eventually.js';
import { ExecutionWorld } from '../../testing/execution-world.js';
import type { Bench } from '../../testing/execution.js';
import { RetryError } from '../domain/errors.js';

/** Short, so that tests wait little; long enough for a busy machine to renew it in time. */
const LEASE_MS = 3_000;

describe('one wallet, two processes', { timeout: 60_000 }, () => {
  const world = ExecutionWorld.forThisFile();

  /** A second process of the same operator. */
  const beside = (bench: Bench, leaseMs?: number): Promise<Bench> =>
    world.open({ ...bench.settings, funded: false, ...(leaseMs !== undefined && { leaseMs }) });

  it('F26 the second one stands by: it signs nothing, settles nothing, and reads the balance', async () => {
    const first = await world.start();
    const standby = await beside(first);
    await standby.execution.recover();
    expect(standby.execution.lease).toMatchObject({ role: 'standby', epoch: 1 });
    expect(standby.execution.lease.holder).toBe(first.execution.lease.holder);
    expect(standby.events.named('standing-by')).toHaveLength(1);

    expect(await first.submit(1)).toMatchObject({ kind: 'submitted', nonce: 0 });
    const sign = vi.spyOn(standby.signer, 'sign');
    expect(await standby.submit(2)).toMatchObject({ kind: 'rejected', reason: 'standing-by' });
    await standby.mine(2);
    expect(await standby.settle()).toEqual([]);
    expect(sign).not.toHaveBeenCalled();
    expect(standby.execution.operatorBalanceWei).toBeGreaterThan(0n);
    expect(await first.settle()).toMatchObject([{ status: 'succeeded' }]);
  });

  it('F26 takes over what the first one left in flight, as a start does, before it signs', async () => {
    const first = await world.start({ leaseMs: LEASE_MS });
    const { executionId } = await first.submit(1);
    const standby = await beside(first);
    await standby.lead(); // The first one does not renew its lease.
    expect(standby.execution.lease).toMatchObject({ role: 'leader', epoch: 2 });
    expect([...standby.execution.inFlight()]).toHaveLength(1);
    expect(await standby.submit(2)).toMatchObject({ kind: 'submitted', nonce: 1 });
    expect(await standby.mineAndSettle()).toMatchObject([
      { executionId, status: 'succeeded' },
      { status: 'succeeded' },
    ]);
    expect(first.execution.leads).toBe(false);
    expect(await first.settle()).toEqual([]);
    expect(first.safety.isHalted).toBe(false);
  });

  it('F28 a leader that finds the lease free after it ran out follows no other, unless another one had it', async () => {
    const first = await world.start({ leaseMs: LEASE_MS });
    const standBy = vi.spyOn(first.safety, 'standBy');
    await first.dataSource.query('UPDATE leases SET expires_at = now()');
    await sleep(LEASE_MS);
    await first.lead();
    expect(first.execution.lease).toMatchObject({ role: 'leader', epoch: 2 });
    expect(standBy.mock.lastCall).toEqual([false, false]);

    const second = await beside(first, LEASE_MS);
    await second.lead();
    expect(second.execution.lease).toMatchObject({ role: 'leader', epoch: 3 });
    await first.lead();
    expect(first.execution.lease).toMatchObject({ role: 'leader', epoch: 4 });
    expect(standBy.mock.lastCall).toEqual([false, true]);
  });

  it('F26 a process that stops with a transaction in flight gives the lease back, and signs nothing any more', async () => {
    const first = await world.start({ leaseMs: 600_000 });
    const { executionId } = await first.submit(1);
    const standby = await beside(first);
    await standby.execution.recover();
    expect(standby.execution.lease).toMatchObject({ role: 'standby', epoch: 1 });

    await first.execution.drain(0); // not mined in time
    expect(await first.submit(2).catch((error: unknown) => error)).toBeInstanceOf(RetryError);
    await first.execution.giveBackLease();
    const sign = vi.spyOn(first.signer, 'sign');
    await standby.execution.recover(); // at the next of its questions: nothing has to run out
    expect(standby.execution.lease).toMatchObject({ role: 'leader', epoch: 2 });
    expect([...standby.execution.inFlight()]).toHaveLength(1);
    expect(await standby.mineAndSettle()).toMatchObject([{ executionId, status: 'succeeded' }]);
    expect(await first.settle()).toEqual([]);
    expect(sign).not.toHaveBeenCalled();
  });

  it('F27 what a process signed before it stood still is refused, is not sent, and does not halt the bot', async () => {
    const first = await world.start();
    const second = await beside(first);
    const intent = await first.plan(1);
    const record = first.outbox.record.bind(first.outbox);
    const broadcast = vi.spyOn(first.chain, 'sendRawTransactions');
    // The process stands still between signature and row; by its own clock it still has the lease.
    vi.spyOn(first.outbox, 'record').mockImplementation(async (...late) => {
      await first.dataSource.query(`UPDATE leases SET expires_at = now()`);
      await second.lead();
      return record(...late);
    });
    expect(await first.carryOut(intent)).toMatchObject({ kind: 'rejected', reason: 'standing-by' });
    expect(broadcast).not.toHaveBeenCalled();
    expect(await second.outboxRows()).toEqual([]);
    expect(first.safety.isHalted).toBe(false);
    expect(await second.submit(2)).toMatchObject({ kind: 'submitted', nonce: 0 });
    await first.execution.recover();
    expect(first.execution.lease).toMatchObject({ role: 'standby', epoch: 2 });
    expect(first.events.named('lease-lost')).toMatchObject([{ epoch: 1 }]);
  });

  it('F27 what a process has recorded before it stood still is handed over by the one that takes over', async () => {
    const first = await world.start();
    const second = await beside(first);
    const intent = await first.plan(1);
    const record = first.outbox.record.bind(first.outbox);
    const broadcast = vi.spyOn(first.chain, 'sendRawTransactions');
    vi.spyOn(first.outbox, 'record').mockImplementation(async (...late) => {
      const recorded = await record(...late);
      await first.dataSource.query(`UPDATE leases SET expires_at = now()`);
      first.clock.putForward(4_000_000);
      return recorded;
    });
    const { executionId, ...held } = await first.carryOut(intent);
    expect(held).toMatchObject({ kind: 'rejected', reason: 'standing-by' });
    expect(broadcast).not.toHaveBeenCalled();
    await second.lead();
    expect(await second.mineAndSettle()).toMatchObject([{ executionId, status: 'succeeded' }]);
  });

  it('F27 a former leader does not take the transactions of its successor for foreign ones', async () => {
    const first = await world.start();
    await first.submit(1);
    const second = await beside(first);
    await first.dataSource.query(`UPDATE leases SET expires_at = now()`);
    await second.lead();
    await second.submit(2);
    await second.mineAndSettle();
    first.clock.putForward(4_000_000);
    for (let look = 0; look < 3; look += 1) expect(await first.settle()).toEqual([]);
    await first.execution.recover();
    expect(first.execution.lease.role).toBe('standby');
    expect(first.safety.isHalted).toBe(false);
    expect(second.safety.isHalted).toBe(false);
  });

  it('F27 a take-over that outlives its lease does not count for the next one: that takes over anew, and signs', async () => {
    const bench = await world.open();
    const getBlock = bench.chain.getBlock.bind(bench.chain);
    let goOn = (): void => undefined;
    const answered = new Promise<void>((resolve) => (goOn = resolve));
    const asked = vi.spyOn(bench.chain, 'getBlock').mockImplementationOnce(async (tag) => {
      await answered;
      return getBlock(tag);
    });
    const first = bench.execution.recover();
    await eventually(() => asked.mock.calls.length > 0, 'the take-over to ask the chain');
    bench.clock.putForward(4_000_000);
    const second = bench.execution.recover();
    await eventually(() => bench.events.named('lease-acquired').length === 2, 'the lease to be taken again');
    goOn();
    await Promise.all([first, second]);
    expect(bench.execution.lease).toMatchObject({ role: 'taking-over', epoch: 2 });

    await bench.lead();
    expect(await bench.submit(1)).toMatchObject({ kind: 'submitted', nonce: 0 });
  });

  it('F26 without the database the holder stops when its lease has run out, and leads again when it is back', async () => {
    const bench = await world.start({ leaseMs: LEASE_MS });
    bench.execution.keepLease();
    await sleep(LEASE_MS + 500);
    expect(bench.execution.leads).toBe(true); // It is renewed.
    const { executionId } = await bench.submit(1);
    const query = vi.spyOn(bench.dataSource, 'createQueryRunner').mockImplementation(() => {
      throw Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' });
    });
    await eventually(() => !bench.execution.leads, 'the lease to run out');
    await eventually(() => bench.events.named('lease-lost').length === 1, 'the loss to be told');
    const broadcast = vi.spyOn(bench.chain, 'sendRawTransactions');
    await bench.mine(4);
    expect(await bench.settle()).toEqual([]);
    expect(broadcast).not.toHaveBeenCalled();
    query.mockRestore();
    await eventually(() => bench.execution.leads, 'the lease to come back');
    await eventually(async () => {
      await bench.settle();
      return (await bench.statusOf(executionId)) === 'succeeded';
    }, 'the transaction to be settled');
    expect(await bench.submit(2)).toMatchObject({ kind: 'submitted', nonce: 1 });
  });

  it('F26 a process that takes the lease and cannot reach the chain does not sign until it has recovered', async () => {
    const bench = await world.open();
    const batch = vi.spyOn(bench.pool, 'batch').mockRejectedValue(new RetryError('no endpoint'));
    await expect(bench.execution.recover()).rejects.toBeInstanceOf(RetryError);
    expect(bench.execution.lease.role).toBe('taking-over');
    expect(await bench.submit(1).catch((error: unknown) => error)).toBeInstanceOf(RetryError);
    batch.mockRestore();
    await bench.lead();
    expect(await bench.submit(2)).toMatchObject({ kind: 'submitted', nonce: 0 });
  });

  it('F26 dry runs beside a live bot need no lease, and leave its plans and transactions alone', async () => {
    const live = await world.start();
    const waiting = await live.plan(1);
    const dry = await world.open({ ...live.settings, mode: 'dry-run', funded: false });
    await dry.execution.recover();
    expect(dry.execution.lease).toEqual({ role: 'dry-run', holder: undefined, epoch: undefined });
    expect(await dry.submit(3)).toMatchObject({ kind: 'dry-run' });
    expect(await live.carryOut(waiting)).toMatchObject({ kind: 'submitted', nonce: 0 });
    await live.mine(2);
    expect(await dry.settle()).toEqual([]);
    expect(await live.settle()).toMatchObject([{ status: 'succeeded' }]);
  });

  it('what a stand-by finds wrong by itself does not stop the leader, and counts when it takes over', async () => {
    const first = await world.start({ leaseMs: LEASE_MS });
    first.execution.keepLease();
    const standby = await beside(first, LEASE_MS);
    await standby.execution.recover();
    standby.execution.keepLease();
    await standby.safety.raise('chain', 'THROTTLED', 'its node is late');
    await standby.safety.clear('chain', 'its node is well');
    await standby.safety.raise('books', 'HALTED', 'its node gives wrong blocks');
    expect(standby.safety.isHalted).toBe(true);
    await first.safety.refresh();
    expect(first.safety.status().state).toBe('NORMAL');
    expect(await first.submit(1)).toMatchObject({ kind: 'submitted' });

    // A resume by an operator, at the stand-by, ends it.
    await standby.safety.resume('the node is well', { name: 'ops', role: 'operator', address: '::1' });
    expect(standby.safety.status().state).toBe('NORMAL');
    await standby.safety.raise('books', 'HALTED', 'again');
    await first.execution.drain(0);
    await first.execution.giveBackLease();
    await eventually(() => standby.execution.leads, 'the stand-by to take over');
    await eventually(
      async () => (await standby.safetyRepository.load()).status.state === 'HALTED',
      'its halt to be saved',
    );
  });

  it('a halt by an operator at the stand-by reaches the leader, and survives the change', async () => {
    const first = await world.start({ leaseMs: LEASE_MS });
    first.execution.keepLease();
    const standby = await beside(first);
    await standby.execution.recover();
    await standby.safety.halt('a look', { name: 'ops', role: 'operator', address: '::1' });
    await eventually(() => first.safety.isHalted, 'the halt to reach the leader');
    expect(await first.submit(1)).toMatchObject({ kind: 'rejected', reason: 'halted' });
  });
});
