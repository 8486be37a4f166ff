import { describe, expect, it } from 'vitest';
import { pairOf, positionOf } from '../../../testing/builders/opportunities.js';
import { RAY, valueUsd8, WAD } from '../../domain/money.js';
import type { AccountData, ValuedLeg } from './health.js';
import { V3_6 } from './rules/v3-6.js';
import { roughLiquidation } from './liquidation.js';

const UNIT = 10n ** 6n;
/** 10 % a year: a debt of 2,000 USD grows by 380 millionths in a minute. */
const RATE = RAY / 10n;

/** 1 WETH at 2,700 USD against a debt of so many millionths of a USDC that grows. */
function position(debt: bigint, healthFactorWad = (WAD * 97n) / 100n): AccountData {
  const { legs, ...data } = positionOf({ weth: 1n, usdc: 2_000n, healthFactorWad });
  const debtUsd8 = debt * 100n;
  const grown = legs.map((leg): ValuedLeg => {
    const indexes = { ...leg.reserve.indexes, variableBorrowRate: RATE };
    return leg.debt === 0n ? leg : { ...leg, debt, debtUsd8, reserve: { ...leg.reserve, indexes } };
  });
  return { ...data, totalDebtUsd8: debtUsd8, legs: grown };
}

const sizings = (data: AccountData): string[] => pairOf(data).candidates.map(({ sizing }) => sizing);

describe('a debt just below 2,000 USD', () => {
  it('is not covered as a whole when interest may bring it to the close factor before inclusion', () => {
    expect(sizings(position(2_000n * UNIT - 100n))).not.toContain('all-debt');
  });

  it('may be covered in part: what is left stays above the minimum on both sides of the edge', () => {
    expect(sizings(position(2_000n * UNIT - 100n))).toEqual(['leaves-minimum']);
  });

  it('is covered as a whole when interest cannot bring it there', () => {
    expect(sizings(position(1_999n * UNIT))).toContain('all-debt');
  });

  it('is covered as a whole when the health factor lets the whole debt be covered anyway', () => {
    expect(sizings(position(2_000n * UNIT - 100n, (WAD * 90n) / 100n))).toContain('all-debt');
  });
});

describe('the rough size of a liquidation', () => {
  it.each([
    ['the close factor', { weth: 10n, usdc: 23_500n }],
    ['the whole debt', { weth: 1n, usdc: 1_500n }],
    ['the whole collateral', { weth: 1n, usdc: 2_690n, healthFactorWad: (WAD * 90n) / 100n }],
  ])('is that of the largest amount, as exactly as floats are, where %s bounds it', (_, spec) => {
    const position = positionOf(spec);
    const [collateral, debt] = position.legs;
    const { candidates } = pairOf(position);
    const largest = candidates.reduce((a, b) => (a.debtToCover > b.debtToCover ? a : b));
    const rough = roughLiquidation(V3_6, position, collateral!, debt!, Infinity);
    const seizedUsd8 = Number(valueUsd8(largest.collateralSeized, largest.collateral));
    expect(rough.seizedUsd8 / seizedUsd8).toBeCloseTo(1, 6);
    expect(rough.coveredUsd8 / Number(valueUsd8(largest.debtToCover, largest.debt))).toBeCloseTo(1, 6);
    const limited = roughLiquidation(V3_6, position, collateral!, debt!, 100e8);
    expect(limited.coveredUsd8).toBe(100e8);
  });
});
