import { BPS, mulDivCeil, mulDivFloor, mulDivHalfUp, RAY } from '../../domain/money.js';

/** Sources: aave-v3-origin 3.6, protocol/libraries/math. Ratios in basis points, indexes and rates in ray. */

const SECONDS_PER_YEAR = 365n * 24n * 60n * 60n;

/** WadRayMath.rayMul: half up. */
export const rayMul = (a: bigint, b: bigint): bigint => mulDivHalfUp(a, b, RAY);

/** PercentageMath.percentMul: half up. */
export const percentMul = (value: bigint, bps: bigint): bigint => mulDivHalfUp(value, bps, BPS);

/** PercentageMath.percentMulFloor. */
export const percentMulFloor = (value: bigint, bps: bigint): bigint => mulDivFloor(value, bps, BPS);

/** PercentageMath.percentMulCeil. */
export const percentMulCeil = (value: bigint, bps: bigint): bigint => mulDivCeil(value, bps, BPS);

/** PercentageMath.percentDiv: half up. */
export const percentDiv = (value: bigint, bps: bigint): bigint => mulDivHalfUp(value, BPS, bps);

/** The floor form of PercentageMath.percentDiv. */
export const percentDivFloor = (value: bigint, bps: bigint): bigint => mulDivFloor(value, BPS, bps);

/** PercentageMath.percentDivCeil. */
export const percentDivCeil = (value: bigint, bps: bigint): bigint => mulDivCeil(value, BPS, bps);

/** TokenMath.getATokenBalance: what an aToken balance is worth, rounded down. */
export const aTokenBalance = (scaled: bigint, liquidityIndex: bigint): bigint =>
  mulDivFloor(scaled, liquidityIndex, RAY);

/** TokenMath.getVTokenBalance: what a variable debt amounts to, rounded up. */
export const debtTokenBalance = (scaled: bigint, borrowIndex: bigint): bigint =>
  mulDivCeil(scaled, borrowIndex, RAY);

/**
 * The scaled balance behind an {@link aTokenBalance}. Exact: with an index of at least one ray, two different
 * scaled balances never have the same balance.
 */
export const scaledOfATokenBalance = (balance: bigint, liquidityIndex: bigint): bigint =>
  mulDivCeil(balance, RAY, liquidityIndex);

/** The scaled debt behind a {@link debtTokenBalance}. Exact, as {@link scaledOfATokenBalance}. */
export const scaledOfDebtTokenBalance = (balance: bigint, borrowIndex: bigint): bigint =>
  mulDivFloor(balance, RAY, borrowIndex);

/** TokenMath.getATokenBurnScaledAmount and getATokenTransferScaledAmount: rounded up. */
export const aTokenScaledOut = (amount: bigint, liquidityIndex: bigint): bigint =>
  mulDivCeil(amount, RAY, liquidityIndex);

/** TokenMath.getVTokenBurnScaledAmount: rounded down. */
export const debtTokenScaledOut = (amount: bigint, borrowIndex: bigint): bigint =>
  mulDivFloor(amount, RAY, borrowIndex);

/** MathUtils.calculateLinearInterest: ray, for a yearly rate in ray over whole seconds. */
export function linearInterest(rate: bigint, seconds: bigint): bigint {
  return RAY + (rate * seconds) / SECONDS_PER_YEAR;
}

/**
 * MathUtils.calculateCompoundedInterest: the contract's own third-order approximation of e^(rate·t), in ray.
 */
export function compoundedInterest(rate: bigint, seconds: bigint): bigint {
  if (seconds === 0n) return RAY;
  const x = (rate * seconds) / SECONDS_PER_YEAR;
  return RAY + x + rayMul(x, x / 2n + rayMul(x, x / 6n));
}
