import { describe, expect, it } from 'vitest';
import {
  type Borrower,
  DEMO_SCENARIO,
  EMODE,
  type Prices,
  amountWorth,
  demoBorrowers,
  healthFactorWad,
  initialPrices,
  pricesAfter,
  randomBorrowers,
  worthOf,
} from '../index.js';

const WAD = 10n ** 18n;
const HALF_CLOSE_FACTOR_WAD = (95n * WAD) / 100n;
const usd8 = (dollars: number): bigint => BigInt(dollars) * 10n ** 8n;

const debtUsd8 = (borrower: Borrower, prices: Prices): bigint =>
  borrower.debts.reduce((sum, { symbol, amount }) => sum + worthOf(symbol, amount, prices[symbol]), 0n);

describe('demo borrowers', () => {
  const prices = initialPrices();
  const borrowers = demoBorrowers();

  it('are the same on every run and all have accounts of their own', () => {
    expect(demoBorrowers()).toEqual(borrowers);
    expect(new Set(borrowers.map(({ account }) => account)).size).toBe(50);
    expect(demoBorrowers(10)).toEqual(borrowers.slice(0, 10));
  });

  it('are of every kind and of the size their kind promises', () => {
    const sizes = (kind: string): bigint[] =>
      borrowers.filter((borrower) => borrower.kind === kind).map((borrower) => debtUsd8(borrower, prices));
    expect(sizes('whale').length).toBeGreaterThanOrEqual(5);
    expect(sizes('whale').every((size) => size > usd8(100_000))).toBe(true);
    expect(sizes('mid').every((size) => size > usd8(4_000))).toBe(true);
    expect(sizes('small').every((size) => size < usd8(2_000))).toBe(true);
    expect(sizes('dust').every((size) => size >= usd8(20) - 1n && size <= usd8(60))).toBe(true);
    expect(borrowers.filter(({ eMode }) => eMode === EMODE.id).length).toBeGreaterThanOrEqual(4);
  });

  it('start healthy, between 1.02 and 1.6 unless they are meant to stay safe', () => {
    for (const borrower of borrowers) {
      const health = healthFactorWad(borrower, prices);
      expect(health).toBeGreaterThan((102n * WAD) / 100n);
      if (borrower.kind !== 'safe') expect(health).toBeLessThan((1601n * WAD) / 1000n);
    }
  });

  it('fall in waves, on both sides of HF 0.95, never straight into bad debt, and the safe ones never', () => {
    let now = prices;
    const fallen = new Set<string>();
    const waves = DEMO_SCENARIO.map((step) => {
      now = pricesAfter(step, now);
      const wave = borrowers.filter((b) => !fallen.has(b.account) && healthFactorWad(b, now) < WAD);
      wave.forEach((b) => fallen.add(b.account));
      // At 0.88 the collateral of every reserve still covers debt and bonus.
      expect(wave.every((b) => healthFactorWad(b, now) > (88n * WAD) / 100n)).toBe(true);
      return wave.map((b) => healthFactorWad(b, now));
    });
    expect(waves.filter((wave) => wave.length >= 2).length).toBeGreaterThanOrEqual(6);
    const all = waves.flat();
    expect(all.filter((health) => health > HALF_CLOSE_FACTOR_WAD).length).toBeGreaterThanOrEqual(10);
    expect(all.filter((health) => health <= HALF_CLOSE_FACTOR_WAD).length).toBeGreaterThanOrEqual(5);
    expect(borrowers.some((b) => b.kind === 'safe' && fallen.has(b.account))).toBe(false);
  });
});

describe('random borrowers', () => {
  it('depend on the seed alone', () => {
    expect(randomBorrowers(1, 20)).toEqual(randomBorrowers(1, 20));
    expect(randomBorrowers(1, 20)).not.toEqual(randomBorrowers(2, 20));
  });

  it('cover many collaterals and debts, dust, eMode and switched-off collateral', () => {
    const borrowers = randomBorrowers(3, 300);
    expect(new Set(borrowers.map(({ collaterals }) => collaterals.length))).toEqual(new Set([1, 2, 3, 4]));
    expect(new Set(borrowers.map(({ debts }) => debts.length))).toEqual(new Set([1, 2, 3]));
    expect(borrowers.some(({ collaterals }) => collaterals.some(({ amount }) => amount <= 1_000n))).toBe(
      true,
    );
    expect(borrowers.some(({ collaterals }) => collaterals.some((c) => c.useAsCollateral === false))).toBe(
      true,
    );
    expect(borrowers.some(({ eMode }) => eMode === EMODE.id)).toBe(true);
  });
});

describe('health factor of a request', () => {
  it('weighs eMode collateral by the threshold of the category and other collateral by its own', () => {
    const prices = initialPrices();
    const worth = (symbol: 'WETH' | 'USDC' | 'cbETH', dollars: number) => ({
      symbol,
      amount: amountWorth(symbol, usd8(dollars), prices[symbol]),
    });
    const debts = [worth('WETH', 900)];
    const health = (request: Pick<Borrower, 'collaterals' | 'eMode'>): number =>
      Number(healthFactorWad({ ...request, debts }, prices)) / 1e18;
    expect(health({ collaterals: [worth('cbETH', 1_000)] })).toBeCloseTo(790 / 900, 9);
    expect(health({ collaterals: [worth('cbETH', 1_000)], eMode: EMODE.id })).toBeCloseTo(930 / 900, 9);
    expect(health({ collaterals: [worth('USDC', 1_000)], eMode: EMODE.id })).toBeCloseTo(780 / 900, 9);
  });
});
