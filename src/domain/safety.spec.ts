import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anAllowance } from '../../testing/builders/allowance.js';
import { USD8 } from './money.js';
import {
  authorise,
  INITIAL_SAFETY,
  nextSafety,
  notionalHeadroomUsd8,
  utcDay,
  type SafetyEvent,
  type SafetyIntent,
  type SafetyStatus,
} from './safety.js';

const limits = {
  maxSingleExecutionUsd8: 500n * USD8,
  maxDailyVolumeUsd8: 2500n * USD8,
  maxConsecutiveFailures: 3,
  minOperatorBalanceWei: 10n ** 17n,
};
const fresh: SafetyStatus = { ...INITIAL_SAFETY, sinceMs: 0 };
const idle = {
  dailyVolumeUsd8: 0n,
  inFlight: 0,
  operatorBalanceWei: 10n ** 18n,
  allowance: anAllowance({ dayWei: 10n }),
};
const of = (notionalUsd8: bigint, feeWei = 10n): SafetyIntent => ({
  notionalUsd8,
  reservation: { feeWei, lossUsd8: 1n },
});
const failure: SafetyEvent = { kind: 'execution-failed', reason: 'reverted' };
const lag: SafetyEvent = { kind: 'throttle', reason: 'the nodes lag' };
const well: SafetyEvent = { kind: 'unthrottle', reason: 'fresh heads' };
const play = (events: readonly SafetyEvent[], from = fresh): SafetyStatus =>
  events.reduce((status, event, index) => nextSafety(status, event, limits, index + 1), from);

describe('safety state machine', () => {
  it('throttles at the first failure, halts at the third in a row, and names the last failure', () => {
    expect(play([failure]).state).toBe('THROTTLED');
    expect(play([failure, failure]).state).toBe('THROTTLED');
    const halted = play([failure, failure, { kind: 'execution-failed', reason: 'MustNotLeaveDust' }]);
    expect(halted).toMatchObject({ state: 'HALTED', consecutiveFailures: 3, sinceMs: 3 });
    expect(halted.reason).toContain('MustNotLeaveDust');
  });

  it('starts counting again after a success', () => {
    expect(play([failure, failure, { kind: 'execution-succeeded' }, failure, failure]).state).toBe(
      'THROTTLED',
    );
  });

  it('throttles while something outside the bot is unhealthy', () => {
    expect(play([lag])).toMatchObject({ state: 'THROTTLED', reason: 'the nodes lag', actor: 'chimera' });
    expect(play([lag, { ...lag, reason: 'still' }])).toMatchObject({ reason: 'the nodes lag', sinceMs: 1 });
    expect(play([lag, well])).toMatchObject({ state: 'NORMAL', reason: 'fresh heads', sinceMs: 2 });
    expect(play([well])).toEqual(fresh);
  });

  it('keeps the throttle of a failure and its reason until a success, also beside another throttle', () => {
    for (const events of [
      [failure, well],
      [lag, failure, well],
      [failure, lag, well],
    ])
      expect(play(events)).toMatchObject({
        state: 'THROTTLED',
        reason: 'reverted',
        consecutiveFailures: 1,
      });
    expect(play([lag, failure, well, { kind: 'execution-succeeded' }]).state).toBe('NORMAL');
  });

  it('F15 restores the earlier failures and throttle when a reorg takes back an outcome', () => {
    const takenBack = (failures: number): SafetyEvent => ({ kind: 'outcome-taken-back', failures });
    expect(play([failure, takenBack(1)])).toMatchObject({ state: 'NORMAL', consecutiveFailures: 0 });
    expect(play([failure, failure, takenBack(1)])).toMatchObject({
      state: 'THROTTLED',
      consecutiveFailures: 1,
    });
    const success: SafetyEvent = { kind: 'execution-succeeded' };
    const undone = play([failure, failure, success, takenBack(-2)]);
    expect(undone).toMatchObject({ state: 'THROTTLED', consecutiveFailures: 2 });
    expect(play([failure], undone).state).toBe('HALTED');
    // A success that cleared no failures does not change the throttle. A resume has cleared the count.
    expect(play([lag, takenBack(0)])).toMatchObject({ state: 'THROTTLED', reason: 'the nodes lag' });
    const resume: SafetyEvent = { kind: 'resume', reason: 'looked', actor: 'ops' };
    expect(play([failure, resume, takenBack(1)])).toMatchObject({ reason: 'looked', consecutiveFailures: 0 });
  });

  it('leaves HALTED only when an operator resumes, after any other event', () => {
    const again: SafetyEvent = { kind: 'halt', reason: 'again', actor: 'chimera' };
    const others = fc.constantFrom<SafetyEvent>(
      { kind: 'execution-succeeded' },
      { kind: 'outcome-taken-back', failures: 1 },
      failure,
      again,
      lag,
      well,
    );
    fc.assert(
      fc.property(fc.array(others, { maxLength: 20 }), (events) => {
        const halted = nextSafety(fresh, { kind: 'halt', reason: 'look', actor: 'ops' }, limits, 1);
        expect(play(events, halted).state).toBe('HALTED');
      }),
    );
    const resumed = play([
      { kind: 'halt', reason: 'look', actor: 'ops' },
      { kind: 'resume', reason: 'looked', actor: 'ops' },
    ]);
    expect(resumed).toMatchObject({
      state: 'NORMAL',
      reason: 'looked',
      actor: 'ops',
      consecutiveFailures: 0,
    });
  });
});

describe('authorisation', () => {
  it('refuses everything while HALTED', () => {
    expect(authorise(of(USD8), 'HALTED', idle, limits)).toMatchObject({ reason: 'halted' });
  });

  it('allows one transaction at a time while THROTTLED', () => {
    expect(authorise(of(USD8), 'THROTTLED', idle, limits).kind).toBe('authorised');
    expect(authorise(of(USD8), 'THROTTLED', { ...idle, inFlight: 1 }, limits)).toMatchObject({
      reason: 'throttled',
    });
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
