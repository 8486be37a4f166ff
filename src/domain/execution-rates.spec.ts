import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SAFETY_LIMITS as limits } from '../../testing/builders/safety.js';
import { ratesOf, verdictsOf, type RatedExecution } from './execution-rates.js';
import { USD8 } from './money.js';
import type { Outcome } from './outcome.js';
import type { Cause, Level } from './safety.js';

const of = (outcome: Outcome, realised = 10n, simulated = 10n): RatedExecution => ({
  outcome,
  simulatedUsd8: simulated * USD8,
  realisedUsd8: realised * USD8,
});
const times = (count: number, one: RatedExecution): RatedExecution[] =>
  Array.from({ length: count }, () => one);
const levels = (executions: readonly RatedExecution[]): Partial<Record<Cause, Level | undefined>> =>
  Object.fromEntries(
    verdictsOf(ratesOf(executions, limits), limits).map(({ cause, level }) => [cause, level]),
  );

describe('the rates of the last executions', () => {
  it('inclusion is what was won of what was sent; what every node refused was never sent', () => {
    const rates = ratesOf(
      [...times(6, of('won')), ...times(2, of('stale')), of('malfunction'), of('refused')],
      limits,
    );
    expect(rates).toMatchObject({
      sample: 9,
      ownSample: 9,
      inclusionBps: 6_666,
      ownInclusionBps: 6_666,
      won: 6,
    });
  });

  it('a lost race weighs a quarter', () => {
    const rates = ratesOf([...times(6, of('won')), ...times(8, of('lost'))], limits);
    expect(rates).toMatchObject({ sample: 14, inclusionBps: 7_500, ownSample: 6, ownInclusionBps: 10_000 });
  });

  it('accuracy is the realised part of the simulated profit; more than simulated hides no shortfall', () => {
    expect(ratesOf([of('won', 20n), of('won', 5n), of('lost', -1n)], limits).accuracyBps).toBe(7_500);
    expect(ratesOf([of('won', -5n)], limits).accuracyBps).toBe(0);
    expect(ratesOf([of('lost')], limits).accuracyBps).toBeUndefined();
  });

  it.each([
    ['49.9 % of the own ones', [...times(499, of('won')), ...times(501, of('stale'))], 'HALTED'],
    ['50 %', [...times(50, of('won')), ...times(50, of('stale'))], 'THROTTLED'],
    ['59 %', [...times(59, of('won')), ...times(41, of('stale'))], 'THROTTLED'],
    ['60 %', [...times(60, of('won')), ...times(40, of('stale'))], undefined],
    ['nothing of 9, which are too few', times(9, of('stale')), undefined],
    ['nothing of 10', times(10, of('malfunction')), 'HALTED'],
    ['one win beside 99 lost races', [of('won'), ...times(99, of('lost'))], 'THROTTLED'],
    [
      '60 % with the weight of the lost races',
      [...times(30, of('won')), ...times(70, of('lost'))],
      undefined,
    ],
  ] as const)('inclusion %s', (_, executions, level) => {
    expect(levels(executions).inclusion).toBe(level);
  });

  it.each([
    [84n, 'HALTED'],
    [85n, 'THROTTLED'],
    [89n, 'THROTTLED'],
    [90n, undefined],
    [120n, undefined],
  ] as const)('accuracy of %s %%', (realised, level) => {
    expect(levels(times(10, of('won', realised, 100n))).accuracy).toBe(level);
    expect(levels(times(9, of('won', realised, 100n))).accuracy).toBeUndefined();
  });

  it('says in one sentence with its numbers what was seen and what was expected', () => {
    const [inclusion, accuracy] = verdictsOf(
      ratesOf(
        [...times(11, of('won', 80n, 100n)), ...times(12, of('stale')), ...times(7, of('lost'))],
        limits,
      ),
      limits,
    );
    expect(inclusion).toMatchObject({
      reason:
        '47.8 % of the last 23 transactions did what they should; lost races are not counted; at least 50.0 % was expected',
      numbers: { inclusionBps: 4_444, ownInclusionBps: 4_782, sample: 30 },
    });
    expect(accuracy).toMatchObject({
      reason:
        'the last 11 wins brought 80.0 % of the profit that was simulated; at least 85.0 % was expected',
      numbers: { accuracyBps: 8_000, sample: 11 },
    });
  });

  it('F49 competition never halts: any number of lost races beside wins', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.nat(100), (won, lost) => {
        expect(levels([...times(won, of('won')), ...times(lost, of('lost'))]).inclusion).not.toBe('HALTED');
      }),
    );
  });
});
