/** Uniswap v3's price format. */

/**
 * The square root price at which two tokens trade at their USD prices: sqrt(token1 units per token0 unit) *
 * 2^96.
 * @param decimals0 decimals of token0
 * @param price0Usd8 price of one whole token0, USD with 8 decimals
 * @returns Q64.96, rounded down
 */
export function sqrtPriceX96(
  decimals0: number,
  decimals1: number,
  price0Usd8: bigint,
  price1Usd8: bigint,
): bigint {
  const numerator = price0Usd8 * 10n ** BigInt(decimals1);
  const denominator = price1Usd8 * 10n ** BigInt(decimals0);
  return squareRoot((numerator << 192n) / denominator);
}

/**
 * The price of token0 in whole units of token1, from Uniswap's square root price.
 * @param sqrtPrice Q64.96
 * @returns scaled by 1e18, rounded down
 */
export function priceWad(sqrtPrice: bigint, decimals0: number, decimals1: number): bigint {
  return (sqrtPrice * sqrtPrice * 10n ** BigInt(18 + decimals0)) / ((10n ** BigInt(decimals1)) << 192n);
}

/** Integer square root, rounded down; Newton's method from above. */
function squareRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
