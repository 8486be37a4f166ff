import type { LiquidationCandidate, LiquidationPair } from '../../domain/opportunity.js';
import { amountWithin, BPS, costUsd8, max, min, mulDivFloor, unitOf } from '../../domain/money.js';
import { edges, pricedAsset, sizedCandidate, type AaveV3Pair } from './candidates.js';
import type { ValuedLeg } from './health.js';
import { isAaveV3, largestLeavingMinimum, maxLiquidatableDebt, type AaveV3Terms } from './liquidation.js';
import { borrowIndexAt, liquidityIndexAt } from './market.js';
import { rulesOfVersion } from './versions.js';

/**
 * A step that leaves the position open leaves it at one of these health factors, in basis points: where the
 * next step may take half, and where it may take all (CLOSE_FACTOR_HF_THRESHOLD). A price that moves by less
 * than the rest until inclusion takes nothing from the next step.
 */
const OPEN_BELOW_BPS = [9_995n, 9_495n];

/**
 * What may be liquidated after `candidate` of `pair` in the same transaction, exactly as the pool leaves the
 * position (LiquidationLogic.executeLiquidationCall). Nothing where it is healthy then. What the market can
 * pay out is as before: the caller counts it.
 *
 * @param pairs of the position before it.
 * @throws TypeError when the terms are of another family.
 */
export function pairsAfter(
  pairs: readonly LiquidationPair[],
  pair: LiquidationPair,
  candidate: LiquidationCandidate,
): AaveV3Pair[] {
  const before = termsOf(pair);
  const [collateral, debt] = [collateralAfter(before, candidate), debtAfter(before, candidate)];
  const weightedThreshold =
    before.weightedThreshold -
    (before.collateral.collateralUsd8 - collateral.collateralUsd8) * collateral.liquidationThresholdBps;
  const totalDebtUsd8 = before.totalDebtUsd8 - before.debt.debtUsd8 + debt.debtUsd8;
  const totalCollateralUsd8 =
    before.totalCollateralUsd8 - before.collateral.collateralUsd8 + collateral.collateralUsd8;
  const amounts = { weightedThreshold, totalDebtUsd8, totalCollateralUsd8 };
  const healthFactorWad = rulesOfVersion(before.rulesVersion).healthFactorWad(amounts);
  if (healthFactorWad >= before.liquidatableBelowWad) return [];
  const notionalUsd8 = costUsd8(candidate.debtToFund, candidate.debt);
  const maxNotionalUsd8 = max(before.maxNotionalUsd8 - notionalUsd8, 0n);
  const totals = { ...amounts, healthFactorWad, maxNotionalUsd8 };
  const taken = candidate.collateralSeized + candidate.protocolFee;
  return pairs.flatMap((one): AaveV3Pair[] => {
    const own = termsOf(one);
    const isSame = (leg: ValuedLeg, other: ValuedLeg): boolean => leg.reserve.id === other.reserve.id;
    /** A reserve may be on both sides. */
    const after = (leg: ValuedLeg): ValuedLeg => ({
      ...leg,
      ...(isSame(leg, collateral) && sideOfCollateral(collateral)),
      ...(isSame(leg, debt) && sideOfDebt(debt)),
    });
    const earlier = {
      debtCovered: (own.earlier?.debtCovered ?? 0n) + (isSame(own.debt, debt) ? candidate.debtToCover : 0n),
      collateralTaken:
        (own.earlier?.collateralTaken ?? 0n) + (isSame(own.collateral, collateral) ? taken : 0n),
    };
    const terms = { ...own, ...totals, collateral: after(own.collateral), debt: after(own.debt), earlier };
    // Where no collateral of any worth is left, the pool writes off all debt.
    if (terms.collateral.collateralUsd8 === 0n || terms.debt.debt === 0n) return [];
    return [{ ...one, terms, candidates: edges(terms) }];
  });
}

/**
 * The largest amounts of a pair after which the position can still be liquidated: half of what is left, or
 * all of it. None where the close factor allows no more than such an amount.
 *
 * With x the value of what is covered, the health factor afterwards is (Σ collateral · LT − x · bonus · LT) /
 * (Σ debt − x).
 *
 * @throws TypeError when the terms are of another family.
 */
export function leavingOpen(pair: LiquidationPair): LiquidationCandidate[] {
  const terms = termsOf(pair);
  return OPEN_BELOW_BPS.flatMap((belowBps) => leavingBelow(terms, belowBps) ?? []);
}

function leavingBelow(terms: AaveV3Terms, belowBps: bigint): LiquidationCandidate | undefined {
  const { collateral, debt, weightedThreshold, totalDebtUsd8, maxNotionalUsd8 } = terms;
  const perDebt = belowBps * BPS - collateral.liquidationBonusBps * collateral.liquidationThresholdBps;
  const room = belowBps * totalDebtUsd8 - weightedThreshold;
  // Each step makes it less healthy: the largest amount leaves it open too.
  if (perDebt <= 0n || room <= 0n) return undefined;
  const most = mulDivFloor((room * BPS) / perDebt, unitOf(debt.reserve.decimals), debt.priceUsd8);
  if (most >= maxLiquidatableDebt(terms)) return undefined;
  const allowed = min(most, amountWithin(maxNotionalUsd8, pricedAsset(debt)));
  const leavingMinimum = largestLeavingMinimum(terms);
  const amount = leavingMinimum === undefined ? allowed : min(allowed, leavingMinimum);
  return amount > 0n ? sizedCandidate(terms, amount, 'leaves-open') : undefined;
}

function termsOf({ terms }: LiquidationPair): AaveV3Terms {
  if (!isAaveV3(terms)) throw new TypeError(`"${terms.kind}" are not the terms of an Aave v3 liquidation`);
  return terms;
}

/** The burn and the transfer round each by itself (AToken.burn, AToken.transferOnLiquidation). */
function collateralAfter(
  { collateral, timestamp, rulesVersion }: AaveV3Terms,
  candidate: LiquidationCandidate,
): ValuedLeg {
  const { collateralSeized, protocolFee } = candidate;
  const { tokens } = rulesOfVersion(rulesVersion);
  const index = liquidityIndexAt(collateral.reserve.indexes, timestamp);
  // Where all of it is taken, the reserve is no collateral any more (setUsingAsCollateral).
  const isCleared = collateralSeized + protocolFee >= collateral.collateral;
  const out = tokens.supplyOut(collateralSeized, index) + tokens.supplyOut(protocolFee, index);
  const scaledCollateral = isCleared ? 0n : max(collateral.scaledCollateral - out, 0n);
  const left = tokens.supplyBalance(scaledCollateral, index);
  const unit = unitOf(collateral.reserve.decimals);
  const collateralUsd8 = mulDivFloor(left, collateral.priceUsd8, unit);
  return { ...collateral, scaledCollateral, collateral: left, collateralUsd8 };
}

/** VariableDebtToken.burn. */
function debtAfter(
  { debt, timestamp, rulesVersion }: AaveV3Terms,
  { debtToCover }: LiquidationCandidate,
): ValuedLeg {
  const { tokens, debtUsd8: valueOfDebt } = rulesOfVersion(rulesVersion);
  const index = borrowIndexAt(debt.reserve.indexes, timestamp);
  const scaled = tokens.scaledDebtOf(debt.debt, index) - tokens.debtOut(debtToCover, index);
  const left = debtToCover >= debt.debt ? 0n : tokens.debtBalance(scaled, index);
  const debtUsd8 = valueOfDebt(left, debt.priceUsd8, unitOf(debt.reserve.decimals));
  return { ...debt, debt: left, debtUsd8 };
}

function sideOfCollateral({
  scaledCollateral,
  collateral,
  collateralUsd8,
}: ValuedLeg): Pick<ValuedLeg, 'scaledCollateral' | 'collateral' | 'collateralUsd8'> {
  return { scaledCollateral, collateral, collateralUsd8 };
}

function sideOfDebt({ debt, debtUsd8 }: ValuedLeg): Pick<ValuedLeg, 'debt' | 'debtUsd8'> {
  return { debt, debtUsd8 };
}
