import { BPS, mulDivCeil, mulDivFloor, mulDivHalfUp, RAY, UINT256_MAX, WAD } from '../../domain/money.js';

/**
 * Sources: protocol/libraries/math of aave-v3-origin 3.6, and of core-v3 1.19.3 for what older pools do.
 * Ratios in basis points, indexes and rates in ray.
 */

const SECONDS_PER_YEAR = 365n * 24n * 60n * 60n;

/** WadRayMath.rayMul: half up. */
export const rayMul = (a: bigint, b: bigint): bigint => mulDivHalfUp(a, b, RAY);

/** WadRayMath.rayDiv: half up. */
export const rayDiv = (a: bigint, b: bigint): bigint => mulDivHalfUp(a, RAY, b);

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
 * MathUtils.calculateCompoundedInterest of 3.4 and later: the contract's own third-order approximation of
 * e^(rate·t), in ray.
 */
export function compoundedInterest(rate: bigint, seconds: bigint): bigint {
  if (seconds === 0n) return RAY;
  const x = (rate * seconds) / SECONDS_PER_YEAR;
  return RAY + x + rayMul(x, x / 2n + rayMul(x, x / 6n));
}

/**
 * MathUtils.calculateCompoundedInterest of 3.3 and earlier: the first terms of (1 + rate per second)^seconds,
 * in ray. The powers of the rate are divided before they are multiplied by the time, each rounded down.
 */
export function binomialInterest(rate: bigint, seconds: bigint): bigint {
  if (seconds === 0n) return RAY;
  const lessOne = seconds - 1n;
  const lessTwo = seconds > 2n ? seconds - 2n : 0n;
  const squared = rayMul(rate, rate) / (SECONDS_PER_YEAR * SECONDS_PER_YEAR);
  const cubed = rayMul(squared, rate) / SECONDS_PER_YEAR;
  const second = (seconds * lessOne * squared) / 2n;
  const third = (seconds * lessOne * lessTwo * cubed) / 6n;
  return RAY + (rate * seconds) / SECONDS_PER_YEAR + second + third;
}

/**
 * Wad; UINT256_MAX without debt (GenericLogic.calculateUserAccountData of 3.5 and later). wadDiv rounds half
 * up, and the last division rounds down.
 *
 * @param weightedThreshold Σ collateral · LT: USD8 times basis points.
 */
export function healthFactorOf(weightedThreshold: bigint, totalDebtUsd8: bigint): bigint {
  if (totalDebtUsd8 === 0n) return UINT256_MAX;
  return mulDivHalfUp(weightedThreshold, WAD, totalDebtUsd8) / BPS;
}

/**
 * Wad; UINT256_MAX without debt (GenericLogic.calculateUserAccountData of 3.4 and earlier). The average
 * threshold is rounded down to a whole basis point; percentMul and wadDiv round half up.
 *
 * @param weightedThreshold Σ collateral · LT: USD8 times basis points.
 */
export function healthFactorByAverage(
  weightedThreshold: bigint,
  totalCollateralUsd8: bigint,
  totalDebtUsd8: bigint,
): bigint {
  if (totalDebtUsd8 === 0n) return UINT256_MAX;
  const averageBps = totalCollateralUsd8 === 0n ? 0n : weightedThreshold / totalCollateralUsd8;
  return mulDivHalfUp(percentMul(totalCollateralUsd8, averageBps), WAD, totalDebtUsd8);
}
