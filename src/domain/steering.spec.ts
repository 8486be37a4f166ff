import { describe, expect, it } from 'vitest';
import { USD8 } from './money.js';
import { narrowed, steeredAway, type Setting } from './steering.js';

const BY = { reason: 'r', actor: 'ops', sinceMs: 1 };
const limit = (name: Extract<Setting, { kind: 'limit' }>['name'], dollars: bigint): Setting => ({
  ...{ kind: 'limit', name, valueUsd8: dollars * USD8 },
  ...BY,
});
const CONFIGURED = { maxSingleExecutionUsd8: 500n * USD8, maxDailyVolumeUsd8: 2_500n * USD8, more: 1 };
const BORROWER = `0x${'ab'.repeat(20)}` as const;

describe('what an operator has set', () => {
  it('narrows a limit, and never widens it, also when the configuration was narrowed after it', () => {
    expect(narrowed(CONFIGURED, [limit('maxSingleExecutionUsd', 100n)])).toEqual({
      ...CONFIGURED,
      maxSingleExecutionUsd8: 100n * USD8,
    });
    expect(narrowed(CONFIGURED, [limit('maxSingleExecutionUsd', 501n)])).toEqual(CONFIGURED);
    expect(narrowed(CONFIGURED, [])).toEqual(CONFIGURED);
  });

  it('an execution takes no more than the day, when the day alone was narrowed', () => {
    const { maxSingleExecutionUsd8, maxDailyVolumeUsd8 } = narrowed(CONFIGURED, [
      limit('maxDailyVolumeUsd', 200n),
    ]);
    expect([maxSingleExecutionUsd8, maxDailyVolumeUsd8]).toEqual([200n * USD8, 200n * USD8]);
  });

  it('stands against the positions of a paused market, of a denied borrower, and against small profits', () => {
    const settings: Setting[] = [
      { kind: 'paused', name: 'aave', ...BY },
      { kind: 'denied', name: BORROWER, ...BY },
      limit('minProfitUsd', 10n),
    ];
    const other = `0x${'cd'.repeat(20)}` as const;
    const reasonOf = (one: Parameters<typeof steeredAway>[0]): string | undefined =>
      steeredAway(one, settings)?.reason;
    expect(reasonOf({ protocol: 'aave', borrower: other })).toBe('protocol-paused');
    expect(reasonOf({ protocol: 'morpho', borrower: BORROWER })).toBe('borrower-denied');
    expect(reasonOf({ protocol: 'morpho', borrower: other })).toBeUndefined();
    expect(reasonOf({ borrower: other, netProfitUsd8: 10n * USD8 - 1n })).toBe('profit-below-floor');
    expect(reasonOf({ borrower: other, netProfitUsd8: 10n * USD8 })).toBeUndefined();
  });
});
