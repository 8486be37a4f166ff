import { describe, expect, it, vi } from 'vitest';
import { MARKET_IDS, USD } from '../../testing/builders/plan.js';
import type { Bench } from '../../testing/execution.js';
import { ExecutionWorld } from '../../testing/execution-world.js';
import { RetryError } from '../domain/errors.js';
import type { LiquidationPlan } from '../domain/plan.js';

describe('the gate counts the plans of a pass one after the other', { timeout: 60_000 }, () => {
  const world = ExecutionWorld.forThisFile();

  async function together(
    bench: Bench,
    ...changes: readonly (readonly [number, Partial<LiquidationPlan>?])[]
  ): Promise<string[]> {
    const plans: LiquidationPlan[] = [];
    for (const [number, change] of changes) plans.push((await bench.plan(number, change)).plan);
    const { trace } = await bench.plan(0);
    const submissions = await bench.execution.submit(plans, trace);
    return submissions.map((one) => (one.kind === 'rejected' ? one.reason : one.kind));
  }

  it('THROTTLED lets one pass, and the next when that one is settled', async () => {
    const bench = await world.start();
    await bench.safety.recordFailure('reverted');
    expect(await together(bench, [1], [2], [3])).toEqual(['submitted', 'throttled', 'throttled']);
    await bench.mineAndSettle();
    expect(await together(bench, [2], [3])).toEqual(['submitted', 'submitted']);
  });

  it('volume: what no longer fits is refused, what is smaller goes on, and nonces have no gap', async () => {
    const limits = { maxDailyVolumeUsd8: 1_000n * USD };
    const bench = await world.start({ limits });
    const large = { notionalUsd8: 400n * USD };
    expect(
      await together(
        bench,
        [1, large],
        [2, large],
        [3, large],
        [4, { notionalUsd8: 200n * USD }],
        [1, { notionalUsd8: 1n }],
      ),
    ).toEqual([...['submitted', 'submitted', 'daily-volume-reached', 'submitted', 'in-flight']]);
    expect(await bench.bookedToday()).toBe(1_000n * USD);
    expect(bench.safety.volume.todayUsd8).toBe(1_000n * USD);
    await bench.mine();
    expect(await bench.count()).toBe(3);
  });

  it('two positions of one borrower in two markets of a contract do not block each other', async () => {
    const bench = await world.start();
    const [first, second] = [{ marketId: MARKET_IDS[0] }, { marketId: MARKET_IDS[1] }];
    expect(await together(bench, [1, first], [1, second], [1, second])).toEqual([
      ...['submitted', 'submitted', 'in-flight'],
    ]);
    expect(bench.execution.inFlight().size).toBe(2);
    const rows = await bench.executions.open();
    expect(rows.map(({ marketId }) => marketId)).toEqual(MARKET_IDS);
    expect(rows.map(({ borrower }) => borrower)).toEqual([rows[0]?.borrower, rows[0]?.borrower]);
    await bench.mineAndSettle();
    expect(bench.execution.inFlight().size).toBe(0);
  });

  it('budgets of fees, and places in flight', async () => {
    const probe = await world.start();
    const { plan } = await probe.plan(1);
    const bench = await world.start({ spending: { maxDailyFeeWei: (plan.reservation.feeWei * 5n) / 2n } });
    expect(await together(bench, [11], [12], [13])).toEqual(['submitted', 'submitted', 'daily-fee-reached']);
    const paced = await world.start();
    expect(await together(paced, [21], [22], [23], [24], [25])).toEqual([
      ...Array<string>(4).fill('submitted'),
      'in-flight-limit',
    ]);
  });

  it('a dry run writes nothing: no position of it is in flight, and it may be planned again', async () => {
    const bench = await world.start({ mode: 'dry-run' });
    await bench.safety.recordFailure('reverted');
    const before = bench.execution.spending();
    for (let pass = 0; pass < 3; pass += 1)
      expect(await together(bench, [1], [2])).toEqual(['dry-run', 'throttled']);
    expect(bench.execution.spending()).toEqual(before);
    expect(bench.execution.inFlight().size).toBe(0);
    expect(await bench.executions.count()).toBe(0);
  });

  it('plans that are being carried out are pending, and have their part of the allowance, until they have rows or are refused', async () => {
    const bench = await world.start();
    const all = [
      await bench.plan(1),
      await bench.plan(2, { notionalUsd8: 1_001n * USD }),
      await bench.plan(3),
    ];
    const [slots, before] = [bench.execution.allowance().slots, bench.execution.allowance().dayWei];
    let counted: number[] = [];
    const count = (): void => {
      const { slots: left } = bench.execution.allowance();
      counted.push(bench.execution.pendingCalls().length, slots - left);
    };
    const record = bench.outbox.record.bind(bench.outbox);
    vi.spyOn(bench.outbox, 'record').mockImplementationOnce(async (...args) => {
      count();
      const rows = await record(...args);
      count();
      return rows;
    });
    const submitting = bench.execution.submit(
      all.map(({ plan }) => plan),
      all[0]!.trace,
    );
    count();
    await submitting;
    count();
    expect(counted).toEqual([3, 3, 2, 2, 2, 2, 2, 2]);
    const reserved = all[0]!.plan.reservation.feeWei + all[2]!.plan.reservation.feeWei;
    expect(before - bench.execution.allowance().dayWei).toBe(reserved);
    counted = [];
    vi.spyOn(bench.outbox, 'record').mockRejectedValueOnce(new RetryError('the database is away'));
    const fourth = await bench.plan(4);
    await expect(bench.execution.submit([fourth.plan], fourth.trace)).rejects.toThrow('away');
    count();
    expect(counted).toEqual([2, 2]);
  });
});
