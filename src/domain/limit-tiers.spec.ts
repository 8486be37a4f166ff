import { describe, expect, it } from 'vitest';
import { LIMIT_TIERS, tierCriteria, type Record7d } from './limit-tiers.js';
import { USD8 } from './money.js';

const GOOD: Record7d = {
  settled: 50,
  won: 20,
  inclusionBps: 7_000,
  accuracyBps: 9_500,
  halts: 0,
  profitUsd8: 1n,
};
const unmet = (record: Partial<Record7d>): string[] =>
  tierCriteria({ ...GOOD, ...record }).flatMap(({ what, met }) => (met ? [] : [what]));

describe('the tiers of the limits', () => {
  it('grow, and a day has room for five executions of the largest size', () => {
    expect(LIMIT_TIERS).toHaveLength(4);
    for (const [index, { maxSingleExecutionUsd8, maxDailyVolumeUsd8 }] of LIMIT_TIERS.entries()) {
      expect(maxDailyVolumeUsd8).toBe(5n * maxSingleExecutionUsd8);
      expect(maxSingleExecutionUsd8).toBeGreaterThan(LIMIT_TIERS[index - 1]?.maxSingleExecutionUsd8 ?? 0n);
    }
  });

  it('the criteria are met to the last unit, and each one can fail alone', () => {
    expect(unmet({})).toEqual([]);
    expect(unmet({ settled: 49 })).toEqual(['executions that ended']);
    expect(unmet({ won: 19 })).toEqual(['executions that were won']);
    expect(unmet({ inclusionBps: 6_999 })).toEqual(['inclusion']);
    expect(unmet({ accuracyBps: undefined })).toEqual(['simulation accuracy']);
    expect(unmet({ halts: 1 })).toEqual(['halts by the bot itself']);
    expect(unmet({ profitUsd8: 0n })).toEqual(['profit after all fees']);
  });

  it('shows what was needed and what was seen', () => {
    expect(tierCriteria({ ...GOOD, inclusionBps: 6_543, profitUsd8: -123n * USD8 })).toEqual(
      expect.arrayContaining([
        { what: 'inclusion', needed: 'at least 70.0 %', seen: '65.4 %', met: false },
        { what: 'profit after all fees', needed: 'above 0 USD', seen: '-123.00 USD', met: false },
      ]),
    );
  });
});
