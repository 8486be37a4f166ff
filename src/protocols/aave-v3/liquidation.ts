import { BPS, min, mulDivCeil, mulDivFloor, unitOf, USD8, WAD } from '../../domain/money.js';
import type { AccountData, ValuedLeg } from './health.js';
import { liquidityIndexAt } from './market.js';
import { aTokenBalance, aTokenScaledOut, percentDivCeil, percentMul } from './math.js';
import type { LiquidationRules } from './versions.js';

/** LiquidationLogic.CLOSE_FACTOR_HF_THRESHOLD: at or below it the whole debt may be covered. */
const CLOSE_FACTOR_HF_THRESHOLD = (WAD * 95n) / 100n;
/** LiquidationLogic.DEFAULT_LIQUIDATION_CLOSE_FACTOR, of the whole position's debt. */
const DEFAULT_CLOSE_FACTOR_BPS = 5_000n;
/** LiquidationLogic.MIN_BASE_MAX_CLOSE_FACTOR_THRESHOLD: below it on either side the whole debt may be covered. */
const MIN_BASE_FOR_CLOSE_FACTOR_USD8 = 2_000n * USD8;
/** LiquidationLogic.MIN_LEFTOVER_BASE: what must stay on both sides unless one is cleared. */
export const MIN_LEFTOVER_USD8 = 1_000n * USD8;

/** What Pool.liquidationCall does with an amount. */
export interface LiquidationResult {
  /** Debt token units taken from the liquidator. */
  readonly debtCovered: bigint;
  /** Collateral units sent to the liquidator. */
  readonly collateralSeized: bigint;
  /** Collateral units sent to the protocol's treasury. */
  readonly protocolFee: bigint;
  /** Which side, if any, is cleared. */
  readonly clears: 'debt' | 'collateral' | 'none';
}

/** The pair of legs that one liquidation call names, with the position they belong to. */
export interface LiquidationPairData {
  readonly rules: LiquidationRules;
  readonly position: Pick<AccountData, 'healthFactorWad' | 'totalDebtUsd8'>;
  readonly collateral: ValuedLeg;
  readonly debt: ValuedLeg;
  /** Seconds since the epoch. */
  readonly timestamp: number;
}

/** The most debt one call may cover, debt token units (LiquidationLogic.executeLiquidationCall, 3.3 and later). */
export function maxLiquidatableDebt({ position, collateral, debt }: LiquidationPairData): bigint {
  const capped =
    collateral.collateralUsd8 >= MIN_BASE_FOR_CLOSE_FACTOR_USD8 &&
    debt.debtUsd8 >= MIN_BASE_FOR_CLOSE_FACTOR_USD8 &&
    position.healthFactorWad > CLOSE_FACTOR_HF_THRESHOLD;
  if (!capped) return debt.debt;
  const capUsd8 = percentMul(position.totalDebtUsd8, DEFAULT_CLOSE_FACTOR_BPS);
  if (debt.debtUsd8 <= capUsd8) return debt.debt;
  return mulDivFloor(capUsd8, unitOf(debt.reserve.decimals), debt.priceUsd8);
}

/**
 * What liquidationCall(debtToCover) takes and gives, or undefined where it reverts with MustNotLeaveDust
 * (LiquidationLogic.executeLiquidationCall and _calculateAvailableCollateralToLiquidate).
 *
 * @param debtToCover debt token units; more than the cap is cut to the cap, as on chain.
 */
export function liquidationResult(
  pair: LiquidationPairData,
  debtToCover: bigint,
): LiquidationResult | undefined {
  const { rules, collateral, debt } = pair;
  const collateralUnit = unitOf(collateral.reserve.decimals);
  const debtUnit = unitOf(debt.reserve.decimals);
  const bonusBps = collateral.liquidationBonusBps;

  let debtCovered = min(debtToCover, maxLiquidatableDebt(pair));
  const baseCollateral = (debt.priceUsd8 * debtCovered * collateralUnit) / (collateral.priceUsd8 * debtUnit);
  let seizedWithFee = rules.withBonus(baseCollateral, bonusBps);
  if (seizedWithFee > collateral.collateral) {
    seizedWithFee = collateral.collateral;
    const baseDebt = (collateral.priceUsd8 * seizedWithFee * debtUnit) / (debt.priceUsd8 * collateralUnit);
    debtCovered = percentDivCeil(baseDebt, bonusBps);
  }
  const feeBps = collateral.reserve.liquidationProtocolFeeBps;
  const nominalFee =
    feeBps === 0n
      ? 0n
      : rules.protocolFee(seizedWithFee - rules.withoutBonus(seizedWithFee, bonusBps), feeBps);
  const collateralSeized = seizedWithFee - nominalFee;

  const clearsDebt = debtCovered >= debt.debt;
  const clearsCollateral = seizedWithFee >= collateral.collateral;
  if (!clearsDebt && !clearsCollateral) {
    const debtLeftUsd8 = mulDivCeil(debt.debt - debtCovered, debt.priceUsd8, debtUnit);
    const collateralLeftUsd8 = mulDivFloor(
      collateral.collateral - seizedWithFee,
      collateral.priceUsd8,
      collateralUnit,
    );
    if (debtLeftUsd8 < MIN_LEFTOVER_USD8 || collateralLeftUsd8 < MIN_LEFTOVER_USD8) return undefined;
  }
  return {
    debtCovered,
    collateralSeized,
    protocolFee: feeTransferred(pair, collateralSeized, nominalFee),
    clears: clearsDebt ? 'debt' : clearsCollateral ? 'collateral' : 'none',
  };
}

/**
 * The fee as it arrives: when burning the seized aTokens (rounded up) leaves less than the fee, what is left is sent
 * (LiquidationLogic.executeLiquidationCall, "to avoid trying to send more aTokens than available").
 */
function feeTransferred(
  { collateral, timestamp }: LiquidationPairData,
  seized: bigint,
  nominalFee: bigint,
): bigint {
  if (nominalFee === 0n) return 0n;
  const index = liquidityIndexAt(collateral.reserve.indexes, timestamp);
  const scaledLeft = collateral.scaledCollateral - aTokenScaledOut(seized, index);
  return aTokenScaledOut(nominalFee, index) > scaledLeft ? aTokenBalance(scaledLeft, index) : nominalFee;
}

/**
 * The largest amount of debt that leaves the protocol's minimum on both sides, debt token units; undefined when no
 * amount does. The collateral bound is computed from the inverse of the seizure and then checked, because each step rounds.
 */
export function largestLeavingMinimum(pair: LiquidationPairData): bigint | undefined {
  const { collateral, debt } = pair;
  const collateralUnit = unitOf(collateral.reserve.decimals);
  const debtUnit = unitOf(debt.reserve.decimals);
  // Smallest leftover whose ceiled value reaches the minimum, and smallest whose floored value does.
  const debtLeft = mulDivFloor(MIN_LEFTOVER_USD8 - 1n, debtUnit, debt.priceUsd8) + 1n;
  const collateralLeft = mulDivCeil(MIN_LEFTOVER_USD8, collateralUnit, collateral.priceUsd8);
  const seizable = collateral.collateral - collateralLeft;
  if (seizable <= 0n || debt.debt <= debtLeft) return undefined;
  const baseDebt = (collateral.priceUsd8 * seizable * debtUnit) / (debt.priceUsd8 * collateralUnit);
  const byCollateral = (baseDebt * BPS) / collateral.liquidationBonusBps;
  let amount = min(min(debt.debt - debtLeft, byCollateral), maxLiquidatableDebt(pair));
  // Half-up rounding can seize one unit too many: step down by a collateral unit's worth of debt.
  const step = mulDivCeil(collateral.priceUsd8, debtUnit, debt.priceUsd8 * collateralUnit);
  for (let attempt = 0; attempt < 4 && amount > 0n; attempt += 1, amount -= step) {
    if (liquidationResult(pair, amount)) return amount;
  }
  return undefined;
}

/**
 * The least debt, debt token units, for which liquidationCall seizes a collateral balance entirely. More than the debt
 * that is then taken: one unit of a coarse collateral may be worth many units of debt. Rounded up at each step.
 */
export function debtThatSeizes(collateralBalance: bigint, { collateral, debt }: LiquidationPairData): bigint {
  const collateralUnit = unitOf(collateral.reserve.decimals);
  const debtUnit = unitOf(debt.reserve.decimals);
  const withoutBonus = mulDivCeil(collateralBalance, BPS, collateral.liquidationBonusBps);
  // floor(withoutBonus * bonus) reaches the balance, so it does under each version's rounding of the bonus.
  return mulDivCeil(withoutBonus, collateral.priceUsd8 * debtUnit, debt.priceUsd8 * collateralUnit);
}
