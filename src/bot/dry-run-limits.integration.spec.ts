import { describe, expect, it } from 'vitest';
import { aPositionAtRisk } from '../../testing/builders/at-risk.js';
import { aPlan, DEBT, USD } from '../../testing/builders/plan.js';
import { LIMITS, type Bench, type Settings } from '../../testing/execution.js';
import { ExecutionWorld } from '../../testing/execution-world.js';
import { standIn } from '../../testing/fakes/stand-in.js';
import type { ChimeraConfig } from '../config/index.js';
import { Database, ReportsRepository } from '../database/index.js';
import type { AtRisk } from '../domain/at-risk.js';
import { PassTrace } from '../domain/pass-trace.js';
import type { LiquidationPlan } from '../domain/plan.js';
import { executionRow } from '../execution/index.js';
import { DecisionJournal } from './decision-journal.js';
import { Sending } from './sending.js';
import type { WriteQueue } from './write-queue.js';

const DRY = { mode: 'dry-run', limits: { maxDailyVolumeUsd8: 1_000n * USD } } as const;
const DAY_MS = 86_400_000;

/** What a pass plans of a position: its number, and what differs from other plans. */
type Wish = readonly [number, Partial<LiquidationPlan>?];

describe('the limits of a day in a dry run', { timeout: 60_000 }, () => {
  const world = ExecutionWorld.forThisFile();
  const large = { notionalUsd8: 400n * USD };

  /** Writes the rows as the bot does. A journal lives as long as its process. */
  const journalOf = (bench: Bench): DecisionJournal => {
    const { mode = 'live' } = bench.settings;
    return new DecisionJournal(
      standIn<WriteQueue>('writes', {
        isAway: false,
        add: () => undefined,
        keep: async (rows) => {
          const ids = await bench.executions.insertMany(rows);
          return ids.map((id) => ({ id, isWritten: true }));
        },
      }),
      bench.events,
      standIn<ChimeraConfig>('config', {
        network: standIn<ChimeraConfig['network']>('network', { chainId: 31337 }),
        execution: standIn<ChimeraConfig['execution']>('execution', { mode }),
      }),
    );
  };

  const start = async (settings: Partial<Settings> = DRY): Promise<[Bench, DecisionJournal]> => {
    const bench = await world.start(settings);
    return [bench, journalOf(bench)];
  };

  /**
   * One pass in which these positions are below 1, and are planned in this order.
   *
   * @param debts what each owes, by its number.
   * @returns for each "planned", or why it is left.
   */
  async function pass(
    [bench, journal]: [Bench, DecisionJournal],
    wishes: readonly Wish[],
    debts: Readonly<Record<number, bigint>> = {},
  ): Promise<string[]> {
    const plans: LiquidationPlan[] = [];
    for (const [number, change] of wishes) plans.push((await bench.plan(number, change)).plan);
    const below = plans.map(({ market, borrower }, index): AtRisk => {
      const amount = debts[wishes[index]?.[0] ?? 0] ?? 1_000_000n;
      return aPositionAtRisk({ market, borrower, debts: [{ asset: DEBT, amount }] });
    });
    bench.execution.look(below);
    journal.startPass();
    const trace = new PassTrace(bench.clock, bench.clock.monotonicMs());
    const sending = new Sending(bench.execution, journal, trace);
    // Each as a list of its own: the next one is proved when the one before is decided.
    for (const plan of plans) {
      sending.begin([{ kind: 'planned', plan }]);
      await sending.ended();
    }
    expect(sending.errors).toEqual([]);
    const left = new Map(sending.skipped.map(({ borrower, rejection }) => [borrower, rejection.reason]));
    return plans.map(({ borrower }) => left.get(borrower) ?? 'planned');
  }

  const booked = (bench: Bench): Promise<bigint> => bench.bookedToday();

  it('the volume of the day is used up over passes, and a position is counted once, however often it is planned', async () => {
    const dry = await start();
    const [bench] = dry;
    expect(await pass(dry, [[1, large]])).toEqual(['planned']);
    const again = { ...large, nativePriceUsd8: 2_400n * USD };
    expect(
      await pass(dry, [
        [1, again],
        [2, large],
      ]),
    ).toEqual(['planned', 'planned']);
    expect(
      await pass(dry, [
        [1, large],
        [2, large],
        [3, large],
      ]),
    ).toEqual(['planned', 'planned', 'daily-volume-reached']);
    expect(bench.safety.volume.todayUsd8).toBe(800n * USD);
    expect(bench.safety.headroomUsd8()).toBe(200n * USD);
    expect(await booked(bench)).toBe(800n * USD);
  });

  it('a position is counted again when it was at 1 or above, and when it owes less', async () => {
    const dry = await start({ ...DRY, limits: LIMITS });
    const [bench] = dry;
    await pass(dry, [[1], [2]], { 1: 1_000_000n, 2: 1_000_000n });
    // Interest, and a block that came a little before the time for which it was counted.
    await pass(dry, [[1], [2]], { 1: 1_000_050n, 2: 999_999n });
    expect(await booked(bench)).toBe(200n * USD);
    // The second one is well again. A rival takes a part of the first, which stays below 1.
    await pass(dry, [[1]], { 1: 500_000n });
    expect(await booked(bench)).toBe(300n * USD);
    await pass(dry, [[1], [2]], { 1: 500_000n });
    expect(await booked(bench)).toBe(400n * USD);
  });

  it('after a restart it goes on with its day, and counts no position twice', async () => {
    const [first, journal] = await start();
    await pass(
      [first, journal],
      [
        [1, large],
        [2, large],
      ],
    );
    // The next pass of it would have begun.
    first.execution.look([]);
    const { spent } = first.execution.spending();
    const bench = await world.restart();
    expect(bench.safety.volume.todayUsd8).toBe(800n * USD);
    expect(bench.execution.spending().spent).toEqual(spent);
    const dry: [Bench, DecisionJournal] = [bench, journalOf(bench)];
    expect(
      await pass(dry, [
        [1, large],
        [2, large],
        [3, large],
      ]),
    ).toEqual(['planned', 'planned', 'daily-volume-reached']);
    expect(await booked(bench)).toBe(800n * USD);
    bench.clock.putWallForward(DAY_MS);
    expect(await pass(dry, [[3, large]])).toEqual(['planned']);
    expect(await booked(bench)).toBe(400n * USD);
  });

  it('nothing of it counts for a live bot, and nothing of a live bot counts for it', async () => {
    const dry = await start();
    await pass(dry, [
      [1, large],
      [2, large],
    ]);
    const live = await world.restart({ mode: 'live', funded: true });
    expect(live.safety.volume.todayUsd8).toBe(0n);
    expect(live.execution.spending().spent).toEqual({ feeWei: 0n, lossUsd8: 0n });
    expect(await live.submit(1, large)).toMatchObject({ kind: 'submitted' });
    await live.mineAndSettle();
    expect(await booked(live)).toBe(400n * USD);
    const again = await world.restart({ mode: 'dry-run' });
    expect(again.safety.volume.todayUsd8).toBe(800n * USD);
    expect(await booked(again)).toBe(800n * USD);
  });

  it('refuses in one pass what a live bot refuses, for the same reasons', async () => {
    const probe = await world.start();
    const { feeWei } = (await probe.plan(1)).plan.reservation;
    const worlds: Partial<Settings>[] = [
      { limits: { maxDailyVolumeUsd8: 900n * USD } },
      { spending: { maxDailyFeeWei: (feeWei * 5n) / 2n } },
      { maxInFlight: 3 },
      {},
    ];
    for (const settings of worlds) {
      const wishes: Wish[] = [1, 2, 3, 4, 5].map((number) => [number, large]);
      const decided: string[][] = [];
      for (const mode of ['live', 'dry-run'] as const)
        decided.push(await pass(await start({ ...settings, mode }), wishes));
      const [live, dry] = decided;
      expect(dry).toEqual(live);
      expect(new Set(dry).size).toBe(2);
    }
  });

  it('spends the expected fees when the next pass begins, and gives back what was reserved', async () => {
    const { costs } = (await (await world.start()).plan(1)).plan;
    // Of $2,500 an ether: a 1,000th of one.
    const dear = { costs: { ...costs, l2GasUsd8: 0n, l1DataUsd8: 0n, bidUsd8: (5n * USD) / 2n } };
    const dry = await start({ mode: 'dry-run', spending: { maxDailyFeeWei: 6n * 10n ** 15n } });
    const [bench] = dry;
    const spent = (): bigint => bench.execution.spending().spent.feeWei;
    // Each reserves 5 thousandths, of 6 that there are.
    expect(
      await pass(dry, [
        [1, dear],
        [2, dear],
      ]),
    ).toEqual(['planned', 'daily-fee-reached']);
    expect(spent()).toBe(0n);
    expect(await pass(dry, [[2, dear]])).toEqual(['planned']);
    expect(spent()).toBe(10n ** 15n);
    expect(await pass(dry, [[3, dear]])).toEqual(['daily-fee-reached']);
    expect(spent()).toBe(2n * 10n ** 15n);
    expect(bench.execution.spending().spent.lossUsd8).toBe(0n);
  });

  it('a report counts a position once, and all rows from before a dry run counted', async () => {
    const dry = await start({ ...DRY, limits: LIMITS });
    const [bench] = dry;
    const owner = { chainId: 31337, wallet: bench.signer.address };
    const period = { from: new Date(0), to: new Date(Date.now() + DAY_MS) };
    const reports = new ReportsRepository(new Database(bench.dataSource));
    const told = async (): Promise<number[]> => {
      const { dryRuns } = await reports.figures(owner, period);
      const [day] = await reports.days(owner, period);
      return [dryRuns.count, day?.dryRuns ?? 0, (await reports.ids(owner, period, '0', 100)).length];
    };
    const before = executionRow((await bench.plan(9)).plan, { ...owner, mode: 'dry-run' }, 'dry-run');
    await bench.executions.insertMany([before, before]);
    expect(await told()).toEqual([2, 2, 2]);
    await pass(dry, [[1], [2]]);
    // Another sizing is another decision, and has a row.
    const { candidate } = aPlan();
    await pass(dry, [[1, { candidate: { ...candidate, sizing: 'all-debt' } }], [2]]);
    expect(await bench.executions.count()).toBe(5);
    expect(await told()).toEqual([4, 4, 4]);
  });

  it('THROTTLED lets one new position pass at a time, and those that are counted again', async () => {
    const dry = await start({ mode: 'dry-run' });
    const [bench] = dry;
    await bench.safety.recordFailure('reverted');
    expect(await pass(dry, [[1], [2]])).toEqual(['planned', 'throttled']);
    expect(await pass(dry, [[1], [2], [3]])).toEqual(['planned', 'planned', 'throttled']);
  });
});
