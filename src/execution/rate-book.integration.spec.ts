import { Interface } from 'ethers';
import { describe, expect, it } from 'vitest';
import { ALICE } from '../../testing/builders/safety.js';
import { eventually } from '../../testing/eventually.js';
import { reverting, type Bench } from '../../testing/execution.js';
import { ExecutionWorld } from '../../testing/execution-world.js';
import type { Hex } from '../domain/hex.js';

const STALE = reverting(
  new Interface(['error HealthFactorNotBelowThreshold()']).encodeErrorResult(
    'HealthFactorNotBelowThreshold',
  ) as Hex,
);
const SMALL_SAMPLE = { limits: { minRateSample: 4 } };

describe('the rates of the last executions', { timeout: 60_000 }, () => {
  const world = ExecutionWorld.forThisFile();
  const state = ({ safety }: Bench): unknown[] => [safety.status().state, safety.status().cause];
  /** Of one position: a throttle leaves every other position alone. */
  const stale = async (bench: Bench, count: number, position: number): Promise<void> => {
    for (let n = 0; n < count; n++) await bench.settled(position, { data: STALE });
  };

  it('throttle and halt by themselves, over a restart too; a resume begins anew', async () => {
    let bench = await world.start(SMALL_SAMPLE);
    for (const n of [1, 2, 3]) await bench.settled(n);
    expect(state(bench)).toEqual(['NORMAL', undefined]);
    await stale(bench, 3, 10);
    expect(bench.execution.outcomes.rates).toMatchObject({ sample: 6, inclusionBps: 5_000 });
    expect(state(bench)).toEqual(['THROTTLED', 'inclusion']);
    bench = await world.restart();
    expect(state(bench)).toEqual(['THROTTLED', 'inclusion']);
    for (let n = 0; n < 2; n++) await bench.settled(20);
    expect(bench.execution.outcomes.rates).toMatchObject({ sample: 8, inclusionBps: 6_250 });
    expect(state(bench)).toEqual(['NORMAL', undefined]);
    await stale(bench, 3, 30);
    expect(state(bench)).toEqual(['HALTED', 'inclusion']);
    await eventually(async () => {
      const [{ to } = { to: undefined }] = await bench.safetyRepository.transitions(1);
      return to === 'HALTED';
    }, 'the transition to be saved');
    const [transition] = await bench.safetyRepository.transitions(1);
    expect(transition).toMatchObject({
      ...{ from: 'THROTTLED', to: 'HALTED', cause: 'inclusion', actor: 'chimera' },
      numbers: { inclusionBps: 4_545, ownInclusionBps: 4_545, sample: 11 },
    });
    bench = await world.restart();
    expect(state(bench)).toEqual(['HALTED', 'inclusion']);
    await bench.safety.resume('the feed is well again', ALICE);
    expect(bench.execution.outcomes.rates.sample).toBe(0);
    expect(state(await world.restart())).toEqual(['NORMAL', undefined]);
  });

  it('F15 an outcome that a reorg takes back leaves the rates, and comes back with the new branch', async () => {
    const bench = await world.start(SMALL_SAMPLE);
    await stale(bench, 2, 1);
    const fork = await bench.fork();
    await bench.settled(3);
    await bench.settle(await bench.reorg(fork, 6));
    expect(bench.execution.outcomes.rates).toMatchObject({ sample: 2, won: 0 });
    await bench.mineAndSettle();
    expect(bench.execution.outcomes.rates).toMatchObject({ sample: 3, won: 1 });
  });
});
