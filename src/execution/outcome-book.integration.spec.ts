import { Interface } from 'ethers';
import { describe, expect, it } from 'vitest';
import { DOING_NOTHING, reverting, type Bench } from '../../testing/execution.js';
import { ExecutionWorld } from '../../testing/execution-world.js';
import type { Hex } from '../domain/hex.js';

const STALE = reverting(
  new Interface(['error HealthFactorNotBelowThreshold()']).encodeErrorResult(
    'HealthFactorNotBelowThreshold',
  ) as Hex,
);

describe('F49 the outcomes in the status', { timeout: 60_000 }, () => {
  const world = ExecutionWorld.forThisFile();
  const counts = (bench: Bench) => bench.execution.outcomes.overall.counts;
  const pace = ({ execution }: Bench): [number, number] => [
    execution.outcomes.maxInFlight,
    execution.outcomes.bidShareBps,
  ];
  const NOTHING = { won: 0, lost: 0, stale: 0, refused: 0, malfunction: 0 };

  it('are counted as they are settled, with what losses cost; a restart keeps them, and paces anew', async () => {
    let bench = await world.start();
    expect(counts(bench)).toEqual(NOTHING);
    await bench.settled(1);
    expect(pace(bench)).toEqual([5, 10_000]);
    const { executionId } = await bench.settled(2, { data: STALE });
    await bench.settled(3, { data: DOING_NOTHING });
    expect(counts(bench)).toEqual({ ...NOTHING, won: 1, stale: 1, malfunction: 1 });
    expect(pace(bench)).toEqual([1, 5_625]);
    const before = bench.execution.outcomes;
    const fees = (await bench.executions.find(executionId))?.feesWei ?? 0n;
    expect(before.overall.lossesWei).toBeGreaterThan(fees);
    expect(before.overall.lossesUsd8).toBeGreaterThan(0n);
    expect(before.overall.winRateBps).toBe(10_000);

    bench = await world.restart();
    expect(bench.execution.outcomes.overall).toEqual(before.overall);
    expect(bench.execution.outcomes.last24h).toEqual(before.last24h);
    expect(pace(bench)).toEqual([4, 10_000]);
  });

  it('F15 are taken back with their block, and counted again by the new branch', async () => {
    const bench = await world.start();
    const fork = await bench.fork();
    await bench.settled(1, { data: STALE });
    expect(counts(bench)).toEqual({ ...NOTHING, stale: 1 });
    await bench.settle(await bench.reorg(fork, 6));
    expect(counts(bench)).toEqual(NOTHING);
    expect(bench.execution.outcomes.last24h.lossesWei).toBe(0n);
    await bench.mineAndSettle();
    expect(counts(bench)).toEqual({ ...NOTHING, stale: 1 });
  });

  it('several malfunctions of one block count as one failure, and a reorg restores the count', async () => {
    const bench = await world.start();
    const failures = (): number => bench.safety.status().consecutiveFailures;
    const fork = await bench.fork();
    for (const number of [1, 2, 3, 4]) await bench.submit(number, { data: DOING_NOTHING });
    await bench.mineAndSettle();
    expect(counts(bench)).toEqual({ ...NOTHING, malfunction: 4 });
    expect([failures(), bench.safety.isHalted]).toEqual([1, false]);
    await bench.settle(await bench.reorg(fork, 6));
    expect([failures(), bench.safety.status().state]).toEqual([0, 'NORMAL']);
    await bench.mineAndSettle();
    expect([failures(), bench.safety.isHalted]).toEqual([1, false]);
  });

  it('a bot that lost comes back to its pace after quiet minutes, and works on meanwhile', async () => {
    const bench = await world.start();
    for (const number of [1, 2, 3, 4]) await bench.settled(number, { data: STALE });
    expect(pace(bench)).toEqual([1, 3_163]);
    expect(bench.safety.status()).toMatchObject({ state: 'NORMAL', consecutiveFailures: 0 });
    bench.clock.putForward(180_000);
    expect(pace(bench)).toEqual([4, 10_000]);
    expect((await bench.settled(5)).settlement).toMatchObject({ outcome: 'won' });
  });
});
