import { describe, expect, it } from 'vitest';
import { anAllowance } from '../../testing/builders/allowance.js';
import { SAFETY_LIMITS as limits } from '../../testing/builders/safety.js';
import { authorise, notionalHeadroomUsd8, utcDay, type SafetyIntent } from './authorisation.js';
import { USD8 } from './money.js';

const idle = {
  dailyVolumeUsd8: 0n,
  inFlight: 0,
  operatorBalanceWei: 10n ** 18n,
  allowance: anAllowance({ dayWei: 10n }),
};
const of = (notionalUsd8: bigint, feeWei = 10n): Pick<SafetyIntent, 'notionalUsd8' | 'reservation'> => ({
  notionalUsd8,
  reservation: { feeWei, lossUsd8: 1n },
});

describe('authorisation', () => {
  it('refuses everything while HALTED', () => {
    expect(authorise(of(USD8), 'HALTED', idle, limits)).toMatchObject({ reason: 'halted' });
  });

  it('allows so many transactions at a time while THROTTLED, and leaves a share of the positions alone', () => {
    expect(authorise(of(USD8), 'THROTTLED', idle, limits).kind).toBe('authorised');
    expect(authorise(of(USD8), 'THROTTLED', { ...idle, inFlight: 1 }, limits)).toMatchObject({
      reason: 'throttled',
    });
    const two = { ...limits, throttledInFlight: 2 };
    expect(authorise(of(USD8), 'THROTTLED', { ...idle, inFlight: 1 }, two).kind).toBe('authorised');
    expect(authorise(of(USD8), 'THROTTLED', idle, limits, () => true)).toMatchObject({
      reason: 'throttled-skip',
    });
    expect(authorise(of(USD8), 'NORMAL', idle, limits, () => true).kind).toBe('authorised');
  });

  it('applies the limits exactly, to the last unit', () => {
    expect(authorise(of(500n * USD8), 'NORMAL', idle, limits).kind).toBe('authorised');
    expect(authorise(of(500n * USD8 + 1n), 'NORMAL', idle, limits)).toMatchObject({
      reason: 'notional-above-limit',
    });
    const used = { ...idle, dailyVolumeUsd8: 2000n * USD8 };
    expect(authorise(of(500n * USD8), 'NORMAL', used, limits).kind).toBe('authorised');
    expect(
      authorise(of(500n * USD8), 'NORMAL', { ...used, dailyVolumeUsd8: 2000n * USD8 + 1n }, limits),
    ).toMatchObject({
      reason: 'daily-volume-reached',
    });
    expect(
      authorise(of(USD8), 'NORMAL', { ...idle, operatorBalanceWei: 10n ** 17n - 1n }, limits),
    ).toMatchObject({
      reason: 'operator-balance-low',
    });
  });

  it('F48 refuses what exceeds the budgets once more, with what is in flight at that moment', () => {
    expect(authorise(of(USD8, 11n), 'NORMAL', idle, limits)).toMatchObject({
      reason: 'daily-fee-reached',
      detail: { feeWei: '11', leftWei: '10' },
    });
  });

  it('gives the rest of the daily volume as headroom, never below zero', () => {
    expect(notionalHeadroomUsd8(0n, limits)).toBe(500n * USD8);
    expect(notionalHeadroomUsd8(2400n * USD8, limits)).toBe(100n * USD8);
    expect(notionalHeadroomUsd8(9999n * USD8, limits)).toBe(0n);
  });

  it('begins a new day of volume at UTC midnight', () => {
    const midnight = Date.UTC(2026, 10, 24);
    expect(utcDay(midnight - 1)).toBe('2026-11-23');
    expect(utcDay(midnight)).toBe('2026-11-24');
  });
});
