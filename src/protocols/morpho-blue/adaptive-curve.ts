import { WAD } from '../../domain/money.js';
import { wDivDown } from './math.js';

/**
 * The rate of AdaptiveCurveIrm, computed here (morpho-blue-irm 1.0, adaptive-curve-irm/AdaptiveCurveIrm.sol
 * and libraries/ExpLib.sol). Its numbers are signed: a division rounds toward zero, as bigint's own does.
 * Rates are wad a second.
 */

const SECONDS_PER_YEAR = 365n * 24n * 60n * 60n;

/** ConstantsLib of the rate model. */
const CURVE_STEEPNESS_WAD = 4n * WAD;
const ADJUSTMENT_SPEED_WAD = (50n * WAD) / SECONDS_PER_YEAR;
const TARGET_UTILIZATION_WAD = (WAD * 9n) / 10n;
const INITIAL_RATE_AT_TARGET_WAD = (WAD * 4n) / 100n / SECONDS_PER_YEAR;
const MIN_RATE_AT_TARGET_WAD = WAD / 1_000n / SECONDS_PER_YEAR;
const MAX_RATE_AT_TARGET_WAD = (2n * WAD) / SECONDS_PER_YEAR;

/** ExpLib */
const LN_2_WAD = 693_147_180_559_945_309n;
const LN_WEI_WAD = -41_446_531_673_892_822_312n;
const WEXP_UPPER_BOUND_WAD = 93_859_467_695_000_404_319n;
const WEXP_UPPER_VALUE_WAD = 57_716_089_161_558_943_949_701_069_502_944_508_345_128_422_502_756_744_429_568n;

const wMulToZero = (x: bigint, y: bigint): bigint => (x * y) / WAD;
const wDivToZero = (x: bigint, y: bigint): bigint => (x * WAD) / y;

/** The constants of the rate model. */
export const CURVE = {
  steepnessWad: CURVE_STEEPNESS_WAD,
  adjustmentSpeedWad: ADJUSTMENT_SPEED_WAD,
  targetUtilizationWad: TARGET_UTILIZATION_WAD,
  initialRateAtTargetWad: INITIAL_RATE_AT_TARGET_WAD,
  minRateAtTargetWad: MIN_RATE_AT_TARGET_WAD,
  maxRateAtTargetWad: MAX_RATE_AT_TARGET_WAD,
  ln2Wad: LN_2_WAD,
} as const;

/** ExpLib.wExp: e^x, by a power of 2 and a Taylor polynomial of the second order. */
export function wExp(x: bigint): bigint {
  if (x < LN_WEI_WAD) return 0n;
  if (x >= WEXP_UPPER_BOUND_WAD) return WEXP_UPPER_VALUE_WAD;
  const half = LN_2_WAD / 2n;
  const q = (x + (x < 0n ? -half : half)) / LN_2_WAD;
  const r = x - q * LN_2_WAD;
  const expR = WAD + r + (r * r) / WAD / 2n;
  return q >= 0n ? expR << q : expR >> -q;
}

/** What the rate of a market depends on. */
export interface CurveInputs {
  /** Loan token units, as booked at the last accrual. */
  readonly supplyAssets: bigint;
  /** Loan token units, as booked at the last accrual. */
  readonly borrowAssets: bigint;
  /** 0 before the first interaction. */
  readonly rateAtTargetWad: bigint;
}

export interface CurveRate {
  /** The average over the time since the last accrual: with it the interest is computed. */
  readonly averageWad: bigint;
  /** What the rate model stores at an accrual. */
  readonly rateAtTargetWad: bigint;
}

/**
 * AdaptiveCurveIrm._borrowRate
 *
 * @param elapsed seconds since the last accrual.
 */
export function adaptiveCurveRate(market: CurveInputs, elapsed: bigint): CurveRate {
  const { supplyAssets, borrowAssets, rateAtTargetWad: start } = market;
  const utilization = supplyAssets > 0n ? wDivDown(borrowAssets, supplyAssets) : 0n;
  const isAbove = utilization > TARGET_UTILIZATION_WAD;
  const norm = isAbove ? WAD - TARGET_UTILIZATION_WAD : TARGET_UTILIZATION_WAD;
  const error = wDivToZero(utilization - TARGET_UTILIZATION_WAD, norm);
  if (start === 0n) {
    const rateAtTargetWad = INITIAL_RATE_AT_TARGET_WAD;
    return { averageWad: onCurve(rateAtTargetWad, error), rateAtTargetWad };
  }
  const adaptation = wMulToZero(ADJUSTMENT_SPEED_WAD, error) * elapsed;
  if (adaptation === 0n) return { averageWad: onCurve(start, error), rateAtTargetWad: start };
  const end = adapted(start, adaptation);
  const middle = adapted(start, adaptation / 2n);
  return { averageWad: onCurve((start + end + 2n * middle) / 4n, error), rateAtTargetWad: end };
}

/** AdaptiveCurveIrm._curve */
function onCurve(rateAtTargetWad: bigint, error: bigint): bigint {
  const coefficient = error < 0n ? WAD - wDivToZero(WAD, CURVE_STEEPNESS_WAD) : CURVE_STEEPNESS_WAD - WAD;
  return wMulToZero(wMulToZero(coefficient, error) + WAD, rateAtTargetWad);
}

/** AdaptiveCurveIrm._newRateAtTarget */
function adapted(start: bigint, adaptation: bigint): bigint {
  const moved = wMulToZero(start, wExp(adaptation));
  if (moved < MIN_RATE_AT_TARGET_WAD) return MIN_RATE_AT_TARGET_WAD;
  return moved > MAX_RATE_AT_TARGET_WAD ? MAX_RATE_AT_TARGET_WAD : moved;
}
