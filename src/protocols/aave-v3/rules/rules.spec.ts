import { describe, expect, it } from 'vitest';
import { pairOf, positionOf } from '../../../../testing/builders/opportunities.js';
import { RAY, unitOf, USD8, WAD } from '../../../domain/money.js';
import { liquidationResult, maxLiquidatableDebt, type AaveV3Terms } from '../liquidation.js';
import { binomialInterest, compoundedInterest } from '../math.js';
import { V3_0 } from './v3-0.js';
import { V3_3, V3_4 } from './v3-3.js';
import { V3_5 } from './v3-5.js';

/** 0.97 */
const HEALTHY_ENOUGH = (WAD * 97n) / 100n;
const USDC = unitOf(6);

/** A position of WETH at 2,700 USD and a debt of USDC, seen by a version. */
function terms(version: string, weth: bigint, usdc: bigint, healthFactorWad = HEALTHY_ENOUGH): AaveV3Terms {
  return pairOf(positionOf({ weth, usdc, healthFactorWad }), { version }).terms;
}

describe('the health factor until 3.4', () => {
  it('is that of a liquidated position of Base, block 30672597', () => {
    const totals = {
      totalCollateralUsd8: 14_533_942_611n,
      weightedThreshold: 14_533_942_611n * 8_300n,
      totalDebtUsd8: 12_084_228_335n,
    };
    for (const rules of [V3_0, V3_3, V3_4])
      expect(rules.healthFactorWad(totals)).toBe(998_257_566_191_544_493n);
    expect(V3_5.healthFactorWad(totals)).not.toBe(998_257_566_191_544_493n);
  });

  it('takes the average threshold in whole basis points, rounded down', () => {
    // 8,299.99 basis points on average.
    const totals = {
      totalCollateralUsd8: 100n * USD8,
      weightedThreshold: 829_999n * USD8,
      totalDebtUsd8: 83n * USD8,
    };
    expect(V3_4.healthFactorWad(totals)).toBe((WAD * 8_299n) / 8_300n + 1n);
    expect(V3_5.healthFactorWad(totals)).toBeGreaterThan(V3_4.healthFactorWad(totals));
  });
});

describe('half of the debt', () => {
  it('is half of this reserve until 3.2, however small it is', () => {
    expect(maxLiquidatableDebt(terms('3.2', 1n, 1_500n))).toBe(750n * USDC);
    expect(maxLiquidatableDebt(terms('3.3', 1n, 1_500n))).toBe(1_500n * USDC);
    expect(maxLiquidatableDebt(terms('3.0', 1n, 1_500n, (WAD * 95n) / 100n))).toBe(1_500n * USDC);
  });

  it('is half of the whole position since 3.3, so that a smaller debt may be covered whole', () => {
    const one = terms('3.4', 10n, 10_000n);
    const beside = { ...one, totalDebtUsd8: 20_000n * USD8 };
    expect(maxLiquidatableDebt(one)).toBe(5_000n * USDC);
    expect(maxLiquidatableDebt(beside)).toBe(10_000n * USDC);
    expect(maxLiquidatableDebt({ ...beside, rulesVersion: '3.2' })).toBe(5_000n * USDC);
  });
});

describe('dust', () => {
  it('may be left behind until 3.2, and not since 3.3', () => {
    const amount = 1_499n * USDC;
    expect(liquidationResult(terms('3.2', 1n, 1_500n, WAD / 2n), amount)?.debtCovered).toBe(amount);
    expect(liquidationResult(terms('3.3', 1n, 1_500n, WAD / 2n), amount)).toBeUndefined();
  });

  it('of debt counts from its value rounded down until 3.4', () => {
    // 1,000 USD less a fraction of a USD8 stay behind: a price of 0.99999999 USD makes the difference.
    const one = terms('3.4', 10n, 10_000n);
    const debt = { ...one.debt, priceUsd8: 99_999_999n };
    const left = 1_000_000_010n;
    const ours = (rulesVersion: string): unknown =>
      liquidationResult({ ...one, debt, rulesVersion, healthFactorWad: WAD / 2n }, one.debt.debt - left);
    expect((left * debt.priceUsd8) / USDC).toBe(1_000n * USD8 - 1n);
    expect(ours('3.4')).toBeUndefined();
    expect(ours('3.6')).toMatchObject({ debtCovered: one.debt.debt - left });
  });
});

describe('interest of debts', () => {
  it('is compounded by the binomial formula until 3.3: a little less than since 3.4', () => {
    const [rate, year] = [RAY / 10n, 365n * 24n * 3600n];
    expect(binomialInterest(rate, 0n)).toBe(RAY);
    expect(binomialInterest(rate, 1n)).toBe(RAY + rate / year);
    const [older, newer] = [binomialInterest(rate, year), compoundedInterest(rate, year)];
    expect(newer - older).toBeGreaterThan(0n);
    expect(Number(newer - older) / 1e27).toBeLessThan(1e-5);
  });
});
