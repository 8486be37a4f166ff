import { BPS, min, mulDivCeil, mulDivFloor, unitOf, USD8, WAD } from '../../domain/money.js';
import type { SizingTerms } from '../../domain/opportunity.js';
import type { ValuedLeg } from './health.js';
import { liquidityIndexAt } from './market.js';
import { percentMul } from './math.js';
import type { LiquidationRules } from './rules/rules.js';
import { rulesOfVersion } from './versions.js';

/** The kind of this family. */
export const AAVE_V3 = 'aave-v3';

/** LiquidationLogic.CLOSE_FACTOR_HF_THRESHOLD: at or below it the whole debt may be covered. */
const CLOSE_FACTOR_HF_THRESHOLD = (WAD * 95n) / 100n;
/** LiquidationLogic.DEFAULT_LIQUIDATION_CLOSE_FACTOR. */
const DEFAULT_CLOSE_FACTOR_BPS = 5_000n;
/**
 * LiquidationLogic.MIN_BASE_MAX_CLOSE_FACTOR_THRESHOLD: below it on either side the whole debt may be
 * covered.
 */
const MIN_BASE_FOR_CLOSE_FACTOR_USD8 = 2_000n * USD8;
/** LiquidationLogic.MIN_LEFTOVER_BASE: what must stay on both sides, unless one side is cleared. */
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

/** What decides a liquidation call of one collateral leg and one debt leg of a position. Plain data. */
export interface AaveV3Terms extends SizingTerms {
  readonly kind: typeof AAVE_V3;
  /** The version of {@link rulesOfVersion}. */
  readonly rulesVersion: string;
  /** Of the position. */
  readonly healthFactorWad: bigint;
  /** Of the position. */
  readonly totalDebtUsd8: bigint;
  /** Of the position. */
  readonly totalCollateralUsd8: bigint;
  /** Of the position: Σ collateral · LT, USD8 times basis points. */
  readonly weightedThreshold: bigint;
  /** Wad. The market allows a liquidation below it: 1, or less while the sequencer's grace period lasts. */
  readonly liquidatableBelowWad: bigint;
  /** The most debt, by value, that may be covered now. */
  readonly maxNotionalUsd8: bigint;
  /** What steps before this one take of these legs in the same transaction. Their interest is still owed. */
  readonly earlier?: {
    /** Debt token units. */
    readonly debtCovered: bigint;
    /** Collateral units, with the protocol's fee. */
    readonly collateralTaken: bigint;
  };
  readonly collateral: ValuedLeg;
  readonly debt: ValuedLeg;
  /** Seconds since the epoch. */
  readonly timestamp: number;
  /** Seconds for which the funded amount must stay sufficient although interest accrues. */
  readonly fundingHorizonSeconds: number;
}

export function isAaveV3(terms: SizingTerms): terms is AaveV3Terms {
  return terms.kind === AAVE_V3;
}

/**
 * The most debt one call may cover, debt token units (LiquidationLogic.executeLiquidationCall; until 3.2
 * LiquidationLogic._calculateDebt).
 */
export function maxLiquidatableDebt(terms: AaveV3Terms): bigint {
  const { totalDebtUsd8, collateral, debt } = terms;
  const { closeFactorOf } = rulesOfVersion(terms.rulesVersion);
  if (!isCapped(closeFactorOf, terms.healthFactorWad, collateral, debt)) return debt.debt;
  if (closeFactorOf === 'reserve') return percentMul(debt.debt, DEFAULT_CLOSE_FACTOR_BPS);
  const capUsd8 = percentMul(totalDebtUsd8, DEFAULT_CLOSE_FACTOR_BPS);
  if (debt.debtUsd8 <= capUsd8) return debt.debt;
  return mulDivFloor(capUsd8, unitOf(debt.reserve.decimals), debt.priceUsd8);
}

/** Whether half is the most that may be covered. */
function isCapped(
  closeFactorOf: LiquidationRules['closeFactorOf'],
  healthFactorWad: bigint,
  collateral: ValuedLeg,
  debt: ValuedLeg,
): boolean {
  if (healthFactorWad <= CLOSE_FACTOR_HF_THRESHOLD) return false;
  return (
    closeFactorOf === 'reserve' ||
    (collateral.collateralUsd8 >= MIN_BASE_FOR_CLOSE_FACTOR_USD8 &&
      debt.debtUsd8 >= MIN_BASE_FOR_CLOSE_FACTOR_USD8)
  );
}

/** {@link maxLiquidatableDebt} and what it seizes: USD8, floats, which may order and decide nothing. */
export function roughLiquidation(
  { closeFactorOf }: Pick<LiquidationRules, 'closeFactorOf'>,
  { healthFactorWad, totalDebtUsd8 }: Pick<AaveV3Terms, 'healthFactorWad' | 'totalDebtUsd8'>,
  collateral: ValuedLeg,
  debt: ValuedLeg,
  limitUsd8: number,
): { readonly seizedUsd8: number; readonly coveredUsd8: number } {
  const [collateralUsd8, debtUsd8] = [Number(collateral.collateralUsd8), Number(debt.debtUsd8)];
  const closeFactor = Number(DEFAULT_CLOSE_FACTOR_BPS) / Number(BPS);
  const cappedUsd8 = (closeFactorOf === 'reserve' ? debtUsd8 : Number(totalDebtUsd8)) * closeFactor;
  const mostUsd8 = isCapped(closeFactorOf, healthFactorWad, collateral, debt) ? cappedUsd8 : debtUsd8;
  const bonus = Number(collateral.liquidationBonusBps) / Number(BPS);
  const coveredUsd8 = Math.min(debtUsd8, mostUsd8, limitUsd8, collateralUsd8 / bonus);
  const feeShare = Number(collateral.reserve.liquidationProtocolFeeBps) / Number(BPS);
  return { coveredUsd8, seizedUsd8: coveredUsd8 * (1 + (bonus - 1) * (1 - feeShare)) };
}

/**
 * What liquidationCall(debtToCover) takes and gives, or undefined where it reverts with MustNotLeaveDust
 * (LiquidationLogic.executeLiquidationCall and _calculateAvailableCollateralToLiquidate).
 *
 * @param debtToCover debt token units; more than the cap is cut to the cap, as on chain.
 */
export function liquidationResult(terms: AaveV3Terms, debtToCover: bigint): LiquidationResult | undefined {
  const { collateral, debt } = terms;
  const { forbidsDust, debtUsd8 } = rulesOfVersion(terms.rulesVersion);
  const { debtCovered, seizedWithFee, nominalFee } = seizure(terms, debtToCover);
  const collateralSeized = seizedWithFee - nominalFee;

  const clearsDebt = debtCovered >= debt.debt;
  const clearsCollateral = seizedWithFee >= collateral.collateral;
  if (forbidsDust && !clearsDebt && !clearsCollateral) {
    const debtLeftUsd8 = debtUsd8(debt.debt - debtCovered, debt.priceUsd8, unitOf(debt.reserve.decimals));
    const collateralLeftUsd8 = mulDivFloor(
      collateral.collateral - seizedWithFee,
      collateral.priceUsd8,
      unitOf(collateral.reserve.decimals),
    );
    if (debtLeftUsd8 < MIN_LEFTOVER_USD8 || collateralLeftUsd8 < MIN_LEFTOVER_USD8) return undefined;
  }
  return {
    debtCovered,
    collateralSeized,
    protocolFee: feeTransferred(terms, collateralSeized, nominalFee),
    clears: clearsDebt ? 'debt' : clearsCollateral ? 'collateral' : 'none',
  };
}

/** What a call takes and seizes, whether or not the rule against leftovers lets it pass. */
interface Seizure {
  readonly debtCovered: bigint;
  readonly seizedWithFee: bigint;
  readonly nominalFee: bigint;
}

function seizure(terms: AaveV3Terms, debtToCover: bigint): Seizure {
  const { collateral, debt } = terms;
  const rules = rulesOfVersion(terms.rulesVersion);
  const collateralUnit = unitOf(collateral.reserve.decimals);
  const debtUnit = unitOf(debt.reserve.decimals);
  const bonusBps = collateral.liquidationBonusBps;

  let debtCovered = min(debtToCover, maxLiquidatableDebt(terms));
  const baseCollateral = (debt.priceUsd8 * debtCovered * collateralUnit) / (collateral.priceUsd8 * debtUnit);
  let seizedWithFee = rules.withBonus(baseCollateral, bonusBps);
  if (seizedWithFee > collateral.collateral) {
    seizedWithFee = collateral.collateral;
    const baseDebt = (collateral.priceUsd8 * seizedWithFee * debtUnit) / (debt.priceUsd8 * collateralUnit);
    debtCovered = rules.debtWithoutBonus(baseDebt, bonusBps);
  }
  const feeBps = collateral.reserve.liquidationProtocolFeeBps;
  const nominalFee =
    feeBps === 0n
      ? 0n
      : rules.protocolFee(seizedWithFee - rules.withoutBonus(seizedWithFee, bonusBps), feeBps);
  return { debtCovered, seizedWithFee, nominalFee };
}

/**
 * The fee that the treasury receives. When burning the seized aTokens leaves less than the fee, Aave sends
 * what is left (LiquidationLogic.executeLiquidationCall, "to avoid trying to send more aTokens than
 * available").
 */
function feeTransferred(
  { collateral, timestamp, rulesVersion }: AaveV3Terms,
  seized: bigint,
  nominalFee: bigint,
): bigint {
  if (nominalFee === 0n) return 0n;
  const { tokens } = rulesOfVersion(rulesVersion);
  const index = liquidityIndexAt(collateral.reserve.indexes, timestamp);
  const scaledLeft = collateral.scaledCollateral - tokens.supplyOut(seized, index);
  return tokens.supplyOut(nominalFee, index) > scaledLeft
    ? tokens.supplyBalance(scaledLeft, index)
    : nominalFee;
}

/**
 * The largest amount of debt that leaves the protocol's minimum on both sides, debt token units; undefined
 * when no amount does. Where the protocol has no minimum, it leaves at least one unit on both sides. The
 * bound by the collateral is the inverse of the seizure. It is checked afterwards, because each step rounds.
 */
export function largestLeavingMinimum(terms: AaveV3Terms): bigint | undefined {
  const { collateral, debt } = terms;
  const collateralUnit = unitOf(collateral.reserve.decimals);
  const debtUnit = unitOf(debt.reserve.decimals);
  const { forbidsDust, debtUsd8 } = rulesOfVersion(terms.rulesVersion);
  // Smallest leftover of debt whose value, as the version rounds it, reaches the minimum.
  const leastDebt = mulDivFloor(MIN_LEFTOVER_USD8 - 1n, debtUnit, debt.priceUsd8) + 1n;
  const reaches = debtUsd8(leastDebt, debt.priceUsd8, debtUnit) >= MIN_LEFTOVER_USD8;
  const leastFloored = mulDivCeil(MIN_LEFTOVER_USD8, debtUnit, debt.priceUsd8);
  const debtLeft = !forbidsDust ? 1n : reaches ? leastDebt : leastFloored;
  const collateralLeft = forbidsDust
    ? mulDivCeil(MIN_LEFTOVER_USD8, collateralUnit, collateral.priceUsd8)
    : 1n;
  const seizable = collateral.collateral - collateralLeft;
  if (seizable <= 0n || debt.debt <= debtLeft) return undefined;
  const baseDebt = (collateral.priceUsd8 * seizable * debtUnit) / (debt.priceUsd8 * collateralUnit);
  const byCollateral = (baseDebt * BPS) / collateral.liquidationBonusBps;
  let amount = min(min(debt.debt - debtLeft, byCollateral), maxLiquidatableDebt(terms));
  // Half-up rounding can seize one unit too many: step down by the debt that one collateral unit is worth.
  const step = mulDivCeil(collateral.priceUsd8, debtUnit, debt.priceUsd8 * collateralUnit);
  for (let attempt = 0; attempt < 4 && amount > 0n; attempt += 1, amount -= step) {
    if (liquidationResult(terms, amount)) return amount;
  }
  return undefined;
}

/**
 * The least debt, debt token units, for which liquidationCall seizes a whole collateral balance. The call may
 * take less: one unit of a token with few decimals may be worth many units of debt. Rounded up at each step.
 */
export function debtThatSeizes(collateralBalance: bigint, { collateral, debt }: AaveV3Terms): bigint {
  const collateralUnit = unitOf(collateral.reserve.decimals);
  const debtUnit = unitOf(debt.reserve.decimals);
  const withoutBonus = mulDivCeil(collateralBalance, BPS, collateral.liquidationBonusBps);
  // Even floor(withoutBonus * bonus) reaches the balance, so the rounding of every version does.
  return mulDivCeil(withoutBonus, collateral.priceUsd8 * debtUnit, debt.priceUsd8 * collateralUnit);
}

/**
 * The most debt that one call may cover without paying out more collateral than this, debt token units. The
 * pool pays out what the liquidator gets; the protocol's fee stays in it as aTokens. Exact for the rounding
 * of every version, because it is searched: more debt never seizes less. The rule against leftovers may still
 * refuse it.
 *
 * @param payable collateral units.
 */
export function mostDebtPayable(terms: AaveV3Terms, payable: bigint): bigint {
  let [fits, beyond] = [0n, maxLiquidatableDebt(terms) + 1n];
  while (beyond - fits > 1n) {
    const middle = (fits + beyond) / 2n;
    const { seizedWithFee, nominalFee } = seizure(terms, middle);
    if (seizedWithFee - nominalFee <= payable) fits = middle;
    else beyond = middle;
  }
  return fits;
}
