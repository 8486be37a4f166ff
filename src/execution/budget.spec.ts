import { beforeEach, describe, expect, it } from 'vitest';
import { FULL_PACE, WIDE_LIMITS } from '../../testing/builders/allowance.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { NO_SPEND } from '../domain/spend.js';
import { Budget } from './budget.js';

const LIMITS = { ...WIDE_LIMITS, maxDailyFeeWei: 1_000n };
const HOUR_MS = 3_600_000;
const FREE = { inFlight: 0, reserved: NO_SPEND, balanceWei: 10n ** 18n, pace: FULL_PACE };

let clock: TestClock;
let budget: Budget;

beforeEach(() => {
  clock = new TestClock(Date.UTC(2026, 0, 31, 12));
  budget = new Budget(LIMITS, clock);
});

describe('budget of a wallet', () => {
  it('counts what is spent on a UTC day, and begins anew at midnight', () => {
    budget.load(new Map([['2026-01-31', { feeWei: 100n, lossUsd8: 1n }]]));
    budget.spend(budget.today, { feeWei: 300n, lossUsd8: 2n });
    expect(budget.spentToday).toEqual({ feeWei: 400n, lossUsd8: 3n });
    expect(budget.allowance(FREE).dayWei).toBe(600n);
    clock.advance(12 * HOUR_MS);
    expect(budget.today).toBe('2026-02-01');
    expect(budget.allowance(FREE).dayWei).toBe(1_000n);
  });

  it('keeps what is in flight reserved over midnight', () => {
    const inFlight = { ...FREE, inFlight: 1, reserved: { feeWei: 700n, lossUsd8: 0n } };
    expect(budget.allowance(inFlight).dayWei).toBe(300n);
    clock.advance(12 * HOUR_MS);
    expect(budget.allowance(inFlight).dayWei).toBe(300n);
  });

  it('a clock that is put back over midnight frees nothing', () => {
    budget.spend(budget.today, { feeWei: 900n, lossUsd8: 0n });
    clock.advance(12 * HOUR_MS);
    budget.spend(budget.today, { feeWei: 10n, lossUsd8: 0n });
    clock.advance(-HOUR_MS);
    expect(budget.allowance(FREE).dayWei).toBe(100n);
  });

  it('F15 a reorg takes back what was booked to its day', () => {
    budget.spend('2026-01-31', { feeWei: 900n, lossUsd8: 9n });
    budget.takeBack('2026-01-31', { feeWei: 900n, lossUsd8: 9n });
    budget.takeBack('2026-01-20', { feeWei: 5n, lossUsd8: 5n }); // a day of which nothing is known
    expect(budget.spentToday).toEqual(NO_SPEND);
  });
});

describe('a fee that every node refuses', () => {
  it('is the cap of the words, from then on; half of the fee when they hold none or a useless one', () => {
    budget.refuseFee(1_000n, 400n);
    expect(budget.allowance(FREE).nodeCapWei).toBe(400n);
    budget.refuseFee(390n, 400n); // the words are rounded to two digits
    expect(budget.allowance(FREE).nodeCapWei).toBe(195n);
    budget.refuseFee(190n);
    expect(budget.allowance(FREE).nodeCapWei).toBe(95n);
  });

  it('is tried again after ten minutes, when a node has named it', () => {
    budget.refuseFee(1_000n, 400n);
    clock.advance(599_999);
    expect(budget.nodeCapWei).toBe(400n);
    clock.advance(1);
    expect(budget.nodeCapWei).toBeUndefined();
  });

  it.each([
    ['a cap that no node names', (feeWei: bigint) => budget.refuseFee(feeWei)],
    ['want of funds', (feeWei: bigint) => budget.refuseForFunds(feeWei)],
  ])('for %s, many times in a row: it is tried again after a minute', (_, refuse) => {
    for (let feeWei = 2n ** 40n; feeWei > 1n; feeWei /= 2n) refuse(feeWei);
    clock.advance(59_999);
    expect(budget.nodeCapWei).toBe(1n);
    clock.advance(1);
    expect(budget.nodeCapWei).toBeUndefined();
  });

  it('for want of funds is halved until a deposit; a deposit does not end the cap of a node', () => {
    budget.refuseForFunds(1_000n);
    expect(budget.nodeCapWei).toBe(500n);
    budget.deposited();
    expect(budget.nodeCapWei).toBeUndefined();
    budget.refuseFee(1_000n, 400n);
    budget.refuseForFunds(400n);
    budget.deposited();
    expect(budget.nodeCapWei).toBe(200n);
  });
});
