import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  amountWithin,
  amountWorth,
  costUsd8,
  formatUnits,
  formatUsd8,
  mulDivCeil,
  mulDivFloor,
  mulDivHalfUp,
  valueUsd8,
} from './money.js';

const natural = fc.bigInt({ min: 0n, max: 2n ** 200n });
const positive = fc.bigInt({ min: 1n, max: 2n ** 200n });
const priced = fc.record({
  decimals: fc.integer({ min: 0, max: 18 }),
  priceUsd8: fc.bigInt({ min: 1n, max: 10n ** 14n }),
});

describe('exact arithmetic', () => {
  it('brackets the true quotient: floor <= half up <= ceil; floor and ceil differ by one unless the division is exact', () => {
    fc.assert(
      fc.property(natural, natural, positive, (a, b, c) => {
        const floor = mulDivFloor(a, b, c);
        const ceil = mulDivCeil(a, b, c);
        const half = mulDivHalfUp(a, b, c);
        expect(floor <= half && half <= ceil).toBe(true);
        expect(ceil - floor).toBe((a * b) % c === 0n ? 0n : 1n);
      }),
    );
  });

  it('rounds what we pay up and what we receive down', () => {
    const usdc = { decimals: 6, priceUsd8: 99_999_999n };
    expect(valueUsd8(1n, usdc)).toBe(99n);
    expect(costUsd8(1n, usdc)).toBe(100n);
  });

  it('finds the largest amount that costs at most a sum, and the smallest amount worth at least a sum', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 10n ** 20n }), priced, (usd8, asset) => {
        const within = amountWithin(usd8, asset);
        expect(costUsd8(within, asset) <= usd8).toBe(true);
        expect(costUsd8(within + 1n, asset) > usd8).toBe(true);
        const worth = amountWorth(usd8, asset);
        expect(valueUsd8(worth, asset) >= usd8).toBe(true);
        expect(valueUsd8(worth - 1n, asset) < usd8).toBe(true);
      }),
    );
  });

  it('cuts shown money to the cent: a loss below a cent is 0.00, without a minus sign', () => {
    expect(formatUsd8(123_456_789_012n)).toBe('1234.56');
    expect(formatUsd8(-1_000_000n)).toBe('-0.01');
    expect(formatUsd8(-999_999n)).toBe('0.00');
    expect(formatUnits(1_500_000n, 6)).toBe('1.5');
    expect(formatUnits(-7n, 0)).toBe('-7');
  });
});
