import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anAllowance } from '../../testing/builders/allowance.js';
import { allot, type Allotment, type FeeNeed } from './allotment.js';
import { sumOf } from './spend.js';
import type { Rejection } from './decision.js';
import { USD8 } from './money.js';

const GWEI = 10n ** 9n;
const ETHER = 10n ** 18n;
const PRICE = 2_500n * USD8;

/** 600,000 gas at a base fee of 0.01 gwei: at least 0.000008 ether. */
function aNeed(more: Partial<FeeNeed> = {}): FeeNeed {
  return {
    gasLimit: 600_000n,
    baseFeePerGasWei: GWEI / 100n,
    besideGasWei: 10n ** 12n,
    bidPerGasWei: 2_000n * GWEI,
    mostBidPerGasWei: more.bidPerGasWei ?? 2_000n * GWEI,
    ...more,
  };
}

const isAllotted = (one: Allotment | Rejection): one is Allotment => one.kind === 'allotted';
const allotted = (all: readonly (Allotment | Rejection)[]): Allotment[] => all.filter(isAllotted);
const one = (need: FeeNeed, ...more: Parameters<typeof anAllowance>): Allotment | Rejection => {
  const [result] = allot([need], PRICE, anAllowance(...more));
  if (!result) throw new Error('one result was expected');
  return result;
};

describe('division of what may be spent', () => {
  it('gives the whole bid, and a base fee that may double, when nothing limits it', () => {
    const need = aNeed();
    const maxFeePerGas = 2n * need.baseFeePerGasWei + need.bidPerGasWei;
    expect(one(need)).toEqual({
      kind: 'allotted',
      maxFeePerGas,
      maxPriorityFeePerGas: need.bidPerGasWei,
      reservation: {
        feeWei: need.gasLimit * maxFeePerGas + need.besideGasWei,
        lossUsd8: expect.any(BigInt) as unknown,
      },
      bidLoweredBy: undefined,
    });
  });

  it.each([
    ['fee-above-limit', { perTransactionWei: ETHER / 100n }, ETHER / 100n],
    ['fee-above-node-cap', { nodeCapWei: ETHER / 100n }, ETHER / 100n],
    ['daily-fee-reached', { dayWei: ETHER / 100n }, ETHER / 100n],
    ['wallet-share-reached', { walletWei: ETHER / 100n }, ETHER / 100n],
    // $25 at $2,500.
    ['daily-loss-reached', { lossUsd8: 25n * USD8 }, ETHER / 100n],
  ] as const)('lowers the bid to fit: %s', (reason, change, mostWei) => {
    const need = aNeed();
    const result = one(need, change);
    if (!isAllotted(result)) throw new Error(result.reason);
    expect(result.bidLoweredBy).toBe(reason);
    expect(result.maxPriorityFeePerGas).toBeLessThan(need.bidPerGasWei);
    expect(result.reservation.feeWei).toBeLessThanOrEqual(mostWei);
    // No more than roundings are left over: of wei for each gas, and of the loss.
    expect(result.reservation.feeWei).toBeGreaterThan(mostWei - 10n ** 8n);
  });

  it.each([
    ['fee-above-limit', { perTransactionWei: 8n * 10n ** 12n }],
    ['fee-above-node-cap', { nodeCapWei: 8n * 10n ** 12n }],
    ['daily-fee-reached', { dayWei: 8n * 10n ** 12n }],
    ['wallet-share-reached', { walletWei: 0n }],
    ['daily-loss-reached', { lossUsd8: USD8 / 50n }],
    ['in-flight-limit', { slots: 0 }],
  ] as const)('refuses what does not fit with the least bid: %s', (reason, change) => {
    expect(one(aNeed(), change)).toMatchObject({ kind: 'rejected', reason });
  });

  it('before it lowers the bid, it lets the base fee rise by less, but always for two blocks', () => {
    const need = aNeed({ baseFeePerGasWei: 100n * GWEI, bidPerGasWei: GWEI, besideGasWei: 0n });
    const fitting = (perGas: bigint) => one(need, { perTransactionWei: need.gasLimit * perGas });
    expect(fitting(150n * GWEI)).toMatchObject({
      maxFeePerGas: 150n * GWEI,
      maxPriorityFeePerGas: GWEI,
      bidLoweredBy: undefined,
    });
    expect(fitting(127n * GWEI + 5n)).toMatchObject({
      maxFeePerGas: 127n * GWEI + 5n,
      maxPriorityFeePerGas: 5n,
      bidLoweredBy: 'fee-above-limit',
    });
    expect(fitting(127n * GWEI)).toMatchObject({ kind: 'rejected', reason: 'fee-above-limit' });
  });

  it('a plan that can bid nothing is not refused because of the least bid', () => {
    const need = aNeed({ bidPerGasWei: 0n });
    expect(one(need)).toMatchObject({ maxPriorityFeePerGas: 0n, bidLoweredBy: undefined });
  });

  it('F48 a large bid does not leave the others unsent: all get the same share of what they want', () => {
    const needs = [aNeed({ bidPerGasWei: 6_000n * GWEI }), aNeed(), aNeed({ bidPerGasWei: 0n })];
    const results = allotted(allot(needs, PRICE, anAllowance({ dayWei: ETHER / 100n })));
    expect(results).toHaveLength(3);
    const [large, small, none] = results.map(({ maxPriorityFeePerGas }) => Number(maxPriorityFeePerGas));
    expect(large! / small!).toBeCloseTo(3, 2);
    expect(none).toBe(0);
    expect(sumOf(results.map(({ reservation }) => reservation)).feeWei).toBeLessThanOrEqual(ETHER / 100n);
  });

  it('gives the places in flight and the rest of the day to the first', () => {
    const results = allot([aNeed(), aNeed(), aNeed()], PRICE, anAllowance({ slots: 2 }));
    expect(results.map((result) => (isAllotted(result) ? 'sent' : result.reason))).toEqual([
      'sent',
      'sent',
      'in-flight-limit',
    ]);
    const poor = allot([aNeed(), aNeed()], PRICE, anAllowance({ dayWei: 10n ** 13n }));
    expect(poor.map((result) => (isAllotted(result) ? 'sent' : result.reason))).toEqual([
      'sent',
      'daily-fee-reached',
    ]);
  });

  it('one that does not fit takes nothing from those behind it', () => {
    const results = allot(
      [aNeed({ gasLimit: 10n ** 12n }), aNeed()],
      PRICE,
      anAllowance({ perTransactionWei: ETHER / 100n }),
    );
    expect(results).toMatchObject([{ reason: 'fee-above-limit' }, { kind: 'allotted' }]);
  });

  it('offers the share of the bid that the pace gives', () => {
    expect(one(aNeed(), { bidShareBps: 2_500 })).toMatchObject({
      maxPriorityFeePerGas: 500n * GWEI,
      bidLoweredBy: undefined,
    });
  });

  it('the share of the pace is taken of what a plan can afford, so that a small bid stays as it is', () => {
    const small = aNeed({ bidPerGasWei: 3n * GWEI, mostBidPerGasWei: 20n * GWEI });
    expect(one(small, { bidShareBps: 2_500 })).toMatchObject({ maxPriorityFeePerGas: 3n * GWEI });
    expect(one(small, { bidShareBps: 1_000 })).toMatchObject({ maxPriorityFeePerGas: 2n * GWEI });
  });

  it('F48 whatever is asked at whatever price, what is given stays within every limit', () => {
    const need = fc.record({
      gasLimit: fc.bigInt({ min: 21_000n, max: 16_777_216n }),
      baseFeePerGasWei: fc.bigInt({ min: 0n, max: 100n * GWEI }),
      besideGasWei: fc.bigInt({ min: 0n, max: ETHER / 1_000n }),
      // The bid of a false price of a cent for one ether too.
      bidPerGasWei: fc.bigInt({ min: 0n, max: 10n ** 16n }),
      mostBidPerGasWei: fc.bigInt({ min: 0n, max: 10n ** 16n }),
    });
    const limits = fc.record({
      perTransactionWei: fc.bigInt({ min: 0n, max: ETHER }),
      nodeCapWei: fc.option(fc.bigInt({ min: 0n, max: ETHER }), { nil: undefined }),
      dayWei: fc.bigInt({ min: 0n, max: ETHER }),
      walletWei: fc.bigInt({ min: 0n, max: ETHER }),
      lossUsd8: fc.bigInt({ min: 0n, max: 1_000n * USD8 }),
      slots: fc.nat(10),
      bidShareBps: fc.integer({ min: 1, max: 10_000 }),
    });
    const price = fc.bigInt({ min: 1n, max: 10n ** 15n });
    fc.assert(
      fc.property(fc.array(need, { maxLength: 8 }), limits, price, (needs, allowance, nativePriceUsd8) => {
        const results = allot(needs, nativePriceUsd8, allowance);
        expect(results).toHaveLength(needs.length);
        const given = allotted(results);
        const sum = sumOf(given.map(({ reservation }) => reservation));
        expect(sum.feeWei).toBeLessThanOrEqual(allowance.dayWei);
        expect(sum.feeWei).toBeLessThanOrEqual(allowance.walletWei);
        expect(sum.lossUsd8).toBeLessThanOrEqual(allowance.lossUsd8);
        expect(given.length).toBeLessThanOrEqual(allowance.slots);
        results.forEach((result, index) => {
          const { gasLimit, baseFeePerGasWei, besideGasWei, bidPerGasWei } = needs[index]!;
          if (!isAllotted(result)) return;
          const { maxFeePerGas, maxPriorityFeePerGas, reservation } = result;
          expect(reservation.feeWei).toBe(gasLimit * maxFeePerGas + besideGasWei);
          expect(reservation.feeWei).toBeLessThanOrEqual(allowance.perTransactionWei);
          if (allowance.nodeCapWei !== undefined)
            expect(reservation.feeWei).toBeLessThanOrEqual(allowance.nodeCapWei);
          expect(maxPriorityFeePerGas).toBeLessThanOrEqual(bidPerGasWei);
          expect(maxPriorityFeePerGas).toBeGreaterThanOrEqual(0n);
          // It can be mined at the base fee of two blocks later.
          expect(maxFeePerGas - maxPriorityFeePerGas).toBeGreaterThanOrEqual(
            (baseFeePerGasWei * 127n) / 100n,
          );
        });
      }),
      { numRuns: 500 },
    );
  });
});
