import { describe, expect, it } from 'vitest';
import { USD } from '../../testing/builders/plan.js';
import type { Bench } from '../../testing/execution.js';
import { ExecutionWorld } from '../../testing/execution-world.js';
import type { LiquidationPlan } from '../domain/plan.js';
import type { Intent } from './submission.js';

describe('F55 what the gate says ahead of the rows', { timeout: 60_000 }, () => {
  const world = ExecutionWorld.forThisFile();

  /** What is foreseen of all plans of a pass, and then what the gate does with them, one after the other. */
  async function both(
    bench: Bench,
    changes: readonly (readonly [number, Partial<LiquidationPlan>?])[],
  ): Promise<{ foreseen: string[]; done: string[]; intents: Intent[] }> {
    const intents: Intent[] = [];
    for (const [number, change] of changes) intents.push(await bench.plan(number, change));
    const [first] = intents;
    if (!first) throw new Error('a plan was expected');
    const plans = intents.map(({ plan }) => plan);
    const foreseen = bench.execution
      .foresee(plans, first.trace)
      .map((refusal) => refusal?.reason ?? 'submitted');
    const done: string[] = [];
    for (const intent of intents) {
      const submission = await bench.execution.submit(intent);
      done.push(submission.kind === 'rejected' ? submission.reason : submission.kind);
    }
    return { foreseen, done, intents };
  }

  it('is what it does: THROTTLED lets one pass, and the next when that one is settled', async () => {
    const bench = await world.start();
    await bench.safety.recordFailure('reverted');
    const { foreseen, done } = await both(bench, [[1], [2], [3]]);
    expect(foreseen).toEqual(['submitted', 'throttled', 'throttled']);
    expect(done).toEqual(foreseen);
    await bench.mineAndSettle();
    expect(await both(bench, [[2], [3]])).toMatchObject({ foreseen: ['submitted', 'submitted'] });
  });

  it('counts what the plans before it take: volume, budgets, places, and borrowers', async () => {
    const limits = { maxDailyVolumeUsd8: 1_000n * USD };
    const volume = await world.start({ limits });
    const large = { notionalUsd8: 400n * USD };
    const byVolume = await both(volume, [
      [1, large],
      [2, large],
      [3, large],
      [4, { notionalUsd8: 200n * USD }],
      [1, { notionalUsd8: 1n }],
    ]);
    expect(byVolume.foreseen).toEqual([
      ...['submitted', 'submitted', 'daily-volume-reached', 'submitted', 'in-flight'],
    ]);
    expect(byVolume.done).toEqual(byVolume.foreseen);

    const [{ plan }] = byVolume.intents as [Intent, ...Intent[]];
    const spending = { maxDailyFeeWei: (plan.reservation.feeWei * 5n) / 2n };
    const fees = await world.start({ spending });
    const byFee = await both(fees, [[11], [12], [13]]);
    expect(byFee.foreseen).toEqual(['submitted', 'submitted', 'daily-fee-reached']);
    expect(byFee.done).toEqual(byFee.foreseen);
  });

  it('changes nothing, and a dry run foresees that nothing of it is ever in flight', async () => {
    const bench = await world.start({ mode: 'dry-run' });
    await bench.safety.recordFailure('reverted');
    const { plan, trace } = await bench.plan(1);
    const before = bench.execution.spending();
    expect(bench.execution.foresee([plan, plan, plan], trace)).toEqual([undefined, undefined, undefined]);
    expect(bench.execution.spending()).toEqual(before);
    expect(bench.execution.inFlight().size).toBe(0);
  });
});
