import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anAllowance, aUsage } from '../../testing/builders/allowance.js';
import { after, allowanceOf, refusalOf, type SpendingLimits } from './budget.js';
import { NO_SPEND, reservationOf, sumOf } from './spend.js';
import { USD8 } from './money.js';

const ETHER = 10n ** 18n;
const limits: SpendingLimits = {
  maxFeePerTransactionWei: ETHER / 20n,
  maxDailyFeeWei: ETHER / 5n,
  maxDailyLossUsd8: 50n * USD8,
  maxWalletShareBps: 5_000,
};

describe('what may be spent', () => {
  it('is the whole of every limit in the morning', () => {
    expect(allowanceOf(limits, aUsage())).toEqual({
      perTransactionWei: ETHER / 20n,
      nodeCapWei: undefined,
      dayWei: ETHER / 5n,
      walletWei: ETHER / 4n,
      lossUsd8: 50n * USD8,
      slots: Number.MAX_SAFE_INTEGER,
      bidShareBps: 10_000,
    });
  });

  it('F48 is lessened by what was paid today and by all that is in flight, as if it reverted', () => {
    const usage = aUsage({
      spent: { feeWei: ETHER / 100n, lossUsd8: 10n * USD8 },
      reserved: { feeWei: ETHER / 10n, lossUsd8: 30n * USD8 },
    });
    expect(allowanceOf(limits, usage)).toMatchObject({
      dayWei: ETHER / 5n - ETHER / 10n - ETHER / 100n,
      // What was paid has left the balance already.
      walletWei: ETHER / 4n - ETHER / 10n,
      lossUsd8: 10n * USD8,
    });
  });

  it('is never negative', () => {
    const huge = { feeWei: ETHER * 1_000n, lossUsd8: 10n ** 20n };
    const usage = aUsage({
      spent: huge,
      reserved: huge,
      inFlight: 9,
      pace: { maxInFlight: 3, bidShareBps: 1 },
    });
    expect(allowanceOf(limits, usage)).toMatchObject({ dayWei: 0n, walletWei: 0n, lossUsd8: 0n, slots: 0 });
  });

  it('leaves as many places in flight as the pace gives', () => {
    const usage = aUsage({ inFlight: 1, pace: { maxInFlight: 3, bidShareBps: 4_000 } });
    expect(allowanceOf(limits, usage)).toMatchObject({ slots: 2, bidShareBps: 4_000 });
  });
});

describe('refusal of a reservation', () => {
  const spend = { feeWei: 100n, lossUsd8: 7n };
  it.each([
    ['fee-above-limit', { perTransactionWei: 99n }, { feeWei: '100', leftWei: '99' }],
    ['fee-above-node-cap', { nodeCapWei: 99n }, { feeWei: '100', leftWei: '99' }],
    ['daily-fee-reached', { dayWei: 99n }, { feeWei: '100', leftWei: '99' }],
    ['daily-loss-reached', { lossUsd8: 6n }, { lossUsd8: '7', leftUsd8: '6' }],
    ['wallet-share-reached', { walletWei: 99n }, { feeWei: '100', leftWei: '99' }],
    ['in-flight-limit', { slots: 0 }, {}],
  ] as const)('%s names what is left', (reason, change, detail) => {
    expect(refusalOf(spend, anAllowance(change))).toEqual({ kind: 'rejected', reason, detail });
  });

  it('allows what fits every limit to the last unit', () => {
    const exact = {
      perTransactionWei: 100n,
      nodeCapWei: 100n,
      dayWei: 100n,
      walletWei: 100n,
      lossUsd8: 7n,
      slots: 1,
    };
    expect(refusalOf(spend, anAllowance(exact))).toBeUndefined();
    expect(refusalOf(NO_SPEND, after(anAllowance(exact), spend))).toMatchObject({
      reason: 'in-flight-limit',
    });
  });

  it('rounds the loss up', () => {
    expect(reservationOf(1n, 2_500n * USD8)).toEqual({ feeWei: 1n, lossUsd8: 1n });
    expect(reservationOf(ETHER, 2_500n * USD8)).toEqual({ feeWei: ETHER, lossUsd8: 2_500n * USD8 });
  });

  it('F48 whatever is reserved one after the other, the sum stays within every limit', () => {
    const amount = fc.bigInt({ min: 0n, max: ETHER / 10n });
    const price = fc.bigInt({ min: 1n, max: 10_000n * USD8 });
    fc.assert(
      fc.property(fc.array(fc.tuple(amount, price), { maxLength: 40 }), (wishes) => {
        let allowance = allowanceOf(limits, aUsage());
        const taken = wishes
          .map(([feeWei, priceUsd8]) => reservationOf(feeWei, priceUsd8))
          .filter((one) => {
            if (refusalOf(one, allowance)) return false;
            allowance = after(allowance, one);
            return true;
          });
        const { feeWei, lossUsd8 } = sumOf(taken);
        expect(feeWei).toBeLessThanOrEqual(limits.maxDailyFeeWei);
        expect(feeWei).toBeLessThanOrEqual(ETHER / 4n);
        expect(lossUsd8).toBeLessThanOrEqual(limits.maxDailyLossUsd8);
        // The same is left as when it is computed from the sum.
        const {
          dayWei,
          walletWei,
          lossUsd8: left,
        } = allowanceOf(limits, aUsage({ reserved: { feeWei, lossUsd8 } }));
        expect(allowance).toMatchObject({ dayWei, walletWei, lossUsd8: left });
      }),
    );
  });
});
