import { CURVE } from './adaptive-curve.js';
import type { BlueMarket } from './market.js';
import { VIRTUAL_ASSETS, VIRTUAL_SHARES } from './math.js';

/**
 * A scan needs what a borrow share owes in every market at every head, and only as a float. The exact accrual
 * takes many times longer, so it is computed where a position is looked at.
 *
 * The estimate is never below the exact amount. It is above it by no more than a few millionths of the
 * interest since the last accrual, and by a hundredth of it where the curve has a step. Why:
 * - The contracts round down, but for negative numbers, which they round toward zero. That raises the
 *   exponent by 1e-18 for each second, and a rate by 1e-18 of itself. A float changes each number by 1e-16 of
 *   itself, and the error of the utilization, which is a difference, by 1e-14. Over ten years the exponent is
 *   less than 1e-9 below the exact one: EXPONENT_MARGIN is ten times as much.
 * - ExpLib's approximation of e^x never falls while x rises: within a power of 2 its derivative 1 + r is
 *   above 0, and at the step to the next power it jumps up, from 1.4067 to 2 · 0.7135. So its value at a
 *   larger exponent is not smaller.
 * - All that follows rises with the rate, and is rounded down by the contracts. INTEREST_MARGIN covers the
 *   floats.
 */
const EXPONENT_MARGIN = 1e-8;
const INTEREST_MARGIN = 1e-6;

const LN_2 = Number(CURVE.ln2Wad) / 1e18;
const SPEED = Number(CURVE.adjustmentSpeedWad) / 1e18;
const TARGET = Number(CURVE.targetUtilizationWad) / 1e18;
const STEEPNESS = Number(CURVE.steepnessWad) / 1e18;
const INITIAL_RATE = Number(CURVE.initialRateAtTargetWad) / 1e18;
const LEAST_RATE = Number(CURVE.minRateAtTargetWad) / 1e18;
const MOST_RATE = Number(CURVE.maxRateAtTargetWad) / 1e18;

/**
 * Loan token units that a borrow share of the market owes at a time, at most. See {@link accrued}.
 *
 * @param timestamp seconds since the epoch.
 * @param askedRateWad what an asked rate model says, wad a second; Infinity is returned without it.
 */
export function debtPerShareAtMost(
  { totals, rate }: Pick<BlueMarket, 'totals' | 'rate'>,
  timestamp: number,
  askedRateWad?: bigint,
): number {
  const borrowAssets = Number(totals.borrowAssets);
  const shares = Number(totals.borrowShares) + Number(VIRTUAL_SHARES);
  const seconds = timestamp - totals.lastUpdate;
  let interest = 0;
  if (seconds > 0 && rate.kind !== 'none') {
    const perSecond =
      rate.kind === 'asked'
        ? Number(askedRateWad ?? Infinity) / 1e18
        : rateAtMost(
            borrowAssets / Number(totals.supplyAssets || 1n),
            Number(rate.rateAtTargetWad) / 1e18,
            seconds,
          );
    const growth = perSecond * seconds;
    // MathLib.wTaylorCompounded
    interest = borrowAssets * growth * (1 + (growth / 2) * (1 + growth / 3)) * (1 + INTEREST_MARGIN);
  }
  return (borrowAssets + interest + Number(VIRTUAL_ASSETS)) / shares;
}

/** AdaptiveCurveIrm._borrowRate: the average over the time, of 1. */
function rateAtMost(utilization: number, start: number, seconds: number): number {
  const error = (utilization - TARGET) / (utilization > TARGET ? 1 - TARGET : TARGET);
  const curve = 1 + error * (error < 0 ? 1 - 1 / STEEPNESS : STEEPNESS - 1);
  if (start === 0) return INITIAL_RATE * curve;
  const exponent = SPEED * error * seconds;
  const middle = adaptedAtMost(start, exponent / 2);
  return ((start + adaptedAtMost(start, exponent) + 2 * middle) / 4) * curve;
}

/** AdaptiveCurveIrm._newRateAtTarget */
function adaptedAtMost(start: number, exponent: number): number {
  return Math.min(Math.max(start * expAtMost(exponent), LEAST_RATE), MOST_RATE);
}

/** ExpLib.wExp */
function expAtMost(exponent: number): number {
  const x = exponent + EXPONENT_MARGIN;
  const power = Math.round(x / LN_2);
  const rest = x - power * LN_2;
  return (1 + rest + (rest * rest) / 2) * 2 ** power;
}
