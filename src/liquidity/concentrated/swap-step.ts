/**
 * One step of a swap: from a price towards another at one liquidity, as v3-core's SwapMath and SqrtPriceMath
 * do it. Prices are square roots in Q64.96, amounts are token units.
 */
import { Q96 } from './tick-math.js';

/** One, in the unit of pool fees. */
const PIPS = 1_000_000n;
const ALL_160_BITS = (1n << 160n) - 1n;
const BEYOND_256_BITS = 1n << 256n;

/**
 * The liquidity between two prices, in token0: SqrtPriceMath.getAmount0Delta, rounded down. The contract
 * divides by one price and then by the other, each time in the same direction: that is one division by both.
 */
export function amount0Floor(low: bigint, high: bigint, liquidity: bigint): bigint {
  return ((liquidity * (high - low)) << 96n) / (low * high);
}

/** SqrtPriceMath.getAmount0Delta, rounded up. */
export function amount0Ceil(low: bigint, high: bigint, liquidity: bigint): bigint {
  const both = low * high;
  return (((liquidity * (high - low)) << 96n) + both - 1n) / both;
}

/** Whether this much token0 is at least {@link amount0Ceil}. A product costs less than a division. */
export function reaches0(amount: bigint, low: bigint, high: bigint, liquidity: bigint): boolean {
  return amount * low * high >= (liquidity * (high - low)) << 96n;
}

/** The liquidity between two prices, in token1: SqrtPriceMath.getAmount1Delta, rounded down. */
export function amount1Floor(low: bigint, high: bigint, liquidity: bigint): bigint {
  return (liquidity * (high - low)) >> 96n;
}

/** SqrtPriceMath.getAmount1Delta, rounded up. */
export function amount1Ceil(low: bigint, high: bigint, liquidity: bigint): bigint {
  return (liquidity * (high - low) + (Q96 - 1n)) >> 96n;
}

/** Whether this much token1 is at least {@link amount1Ceil}. */
export function reaches1(amount: bigint, low: bigint, high: bigint, liquidity: bigint): boolean {
  return amount << 96n >= liquidity * (high - low);
}

/**
 * The fee that belongs to an input which does not hold it yet, rounded up: SwapMath.computeSwapStep.
 *
 * @param feePips hundredths of a basis point, below 1,000,000.
 */
export function feeOn(amountIn: bigint, feePips: bigint): bigint {
  const rest = PIPS - feePips;
  return (amountIn * feePips + rest - 1n) / rest;
}

/** What is left of an input without its fee, rounded down: SwapMath.computeSwapStep. */
export function withoutFee(amountIn: bigint, feePips: bigint): bigint {
  return (amountIn * (PIPS - feePips)) / PIPS;
}

/**
 * The price after so much token0 came in, rounded up:
 * SqrtPriceMath.getNextSqrtPriceFromAmount0RoundingUp, add. It is less precise where 256 bits are not enough.
 */
export function priceAfterToken0In(price: bigint, liquidity: bigint, amount: bigint): bigint {
  if (amount === 0n) return price;
  const numerator = liquidity << 96n;
  const product = amount * price;
  const denominator = numerator + product;
  if (denominator < BEYOND_256_BITS) return (numerator * price + denominator - 1n) / denominator;
  const rough = numerator / price + amount;
  return (numerator + rough - 1n) / rough;
}

/** The price after so much token1 came in, rounded down: getNextSqrtPriceFromAmount1RoundingDown, add. */
export function priceAfterToken1In(price: bigint, liquidity: bigint, amount: bigint): bigint {
  return price + (amount << 96n) / liquidity;
}

/**
 * The price after so much token0 went out, rounded up: getNextSqrtPriceFromAmount0RoundingUp, remove.
 *
 * @returns undefined where the contract reverts: there is not so much.
 */
export function priceAfterToken0Out(price: bigint, liquidity: bigint, amount: bigint): bigint | undefined {
  const numerator = liquidity << 96n;
  const product = amount * price;
  if (numerator <= product) return undefined;
  const denominator = numerator - product;
  const next = (numerator * price + denominator - 1n) / denominator;
  return next > ALL_160_BITS ? undefined : next;
}

/** As {@link priceAfterToken0Out}, for token1, rounded down. */
export function priceAfterToken1Out(price: bigint, liquidity: bigint, amount: bigint): bigint | undefined {
  const quotient = ((amount << 96n) + liquidity - 1n) / liquidity;
  return price > quotient ? price - quotient : undefined;
}
