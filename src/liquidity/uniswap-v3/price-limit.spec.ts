import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sqrtPriceLimit, squareRoot } from './price-limit.js';

describe('Uniswap v3 price limit', () => {
  it('takes exact integer square roots', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 512n }), (value) => {
        const root = squareRoot(value);
        expect(root * root <= value && (root + 1n) * (root + 1n) > value).toBe(true);
      }),
    );
  });

  it('is the square root of the marginal price, less the fee, in both directions of a pool', () => {
    // 4 collateral units are worth 1 debt unit. Token1 per token0 is 1/4 when the collateral is token0, and 4
    // when it is token1.
    const q96 = 1n << 96n;
    expect(sqrtPriceLimit(true, 0, 4n, 1n) - q96 / 2n).toBe(1n);
    expect(sqrtPriceLimit(false, 0, 4n, 1n)).toBe(q96 * 2n);
    expect(sqrtPriceLimit(false, 3000, 4n, 1n) < q96 * 2n).toBe(true);
    expect(sqrtPriceLimit(true, 3000, 4n, 1n) > q96 / 2n).toBe(true);
  });

  it('stays inside the range that pools accept, for any price', () => {
    expect(sqrtPriceLimit(true, 500, 10n ** 60n, 1n)).toBe(4_295_128_740n);
    expect(sqrtPriceLimit(false, 500, 10n ** 60n, 1n)).toBe(
      1461446703485210103287273052203988822378723970341n,
    );
  });
});
