import { mulDivCeil, mulDivFloor, mulDivHalfUp, UINT256_MAX, unitOf, WAD } from '../../domain/money.js';
import {
  borrowIndexAt,
  eModeOf,
  liquidityIndexAt,
  type AaveAccount,
  type AaveMarket,
  type MarketConditions,
  type Reserve,
} from './market.js';
import { aTokenBalance, debtTokenBalance } from './math.js';

/** One leg with everything that liquidation needs, at the block's timestamp. */
export interface ValuedLeg {
  readonly reserve: Reserve;
  readonly priceUsd8: bigint;
  readonly scaledCollateral: bigint;
  /** Collateral units; 0 when it is not used as collateral. */
  readonly collateral: bigint;
  readonly collateralUsd8: bigint;
  /** Debt token units. */
  readonly debt: bigint;
  readonly debtUsd8: bigint;
  readonly liquidationBonusBps: bigint;
  readonly liquidationThresholdBps: bigint;
}

export interface AccountData {
  readonly totalCollateralUsd8: bigint;
  readonly totalDebtUsd8: bigint;
  /** Σ collateral · LT: USD8 times basis points. */
  readonly weightedThreshold: bigint;
  /** Wad; UINT256_MAX without debt. */
  readonly healthFactorWad: bigint;
  readonly legs: readonly ValuedLeg[];
}

/** The oracle had no price for this asset of the account. */
export interface PriceMissing {
  readonly priceMissing: Reserve;
}

/**
 * The account's totals and health factor at `conditions.timestamp`, exactly as Pool.getUserAccountData
 * computes them (GenericLogic.calculateUserAccountData, 3.5 and later). Per reserve, in USD8, collateral is
 * rounded down and debt is rounded up. HF = wadDiv(Σ collateral·LT, Σ debt) / 10_000: wadDiv rounds half up,
 * and the last division rounds down.
 */
export function accountData(
  market: AaveMarket,
  account: AaveAccount,
  conditions: MarketConditions,
): AccountData | PriceMissing {
  let totalCollateralUsd8 = 0n;
  let totalDebtUsd8 = 0n;
  let weightedThreshold = 0n;
  const legs: ValuedLeg[] = [];

  for (const leg of account.legs) {
    const scaledCollateral = leg.usedAsCollateral ? leg.scaledSupply : 0n;
    if (scaledCollateral === 0n && leg.scaledDebt === 0n) continue;
    const reserve = market.reserves.get(leg.reserveId);
    // A dropped reserve counts for nothing on chain either (reservesList holds address(0)).
    if (!reserve) continue;
    const priceUsd8 = conditions.prices.get(reserve.asset);
    if (priceUsd8 === undefined) return { priceMissing: reserve };

    const unit = unitOf(reserve.decimals);
    const category = eModeOf(market, account, reserve);
    const { indexes } = reserve;
    // Most legs have one side only, and this runs at each block for every account that may be liquidatable.
    const collateral =
      scaledCollateral && aTokenBalance(scaledCollateral, liquidityIndexAt(indexes, conditions.timestamp));
    const collateralUsd8 = collateral && mulDivFloor(collateral, priceUsd8, unit);
    const debt =
      leg.scaledDebt && debtTokenBalance(leg.scaledDebt, borrowIndexAt(indexes, conditions.timestamp));
    const debtUsd8 = debt && mulDivCeil(debt, priceUsd8, unit);

    totalCollateralUsd8 += collateralUsd8;
    totalDebtUsd8 += debtUsd8;
    const liquidationThresholdBps = category?.liquidationThresholdBps ?? reserve.liquidationThresholdBps;
    weightedThreshold += collateralUsd8 * liquidationThresholdBps;
    legs.push({
      reserve,
      priceUsd8,
      scaledCollateral,
      collateral,
      collateralUsd8,
      debt,
      debtUsd8,
      liquidationBonusBps: category?.liquidationBonusBps ?? reserve.liquidationBonusBps,
      liquidationThresholdBps,
    });
  }

  const healthFactorWad = healthFactorOf(weightedThreshold, totalDebtUsd8);
  return { totalCollateralUsd8, totalDebtUsd8, weightedThreshold, healthFactorWad, legs };
}

/**
 * Wad; UINT256_MAX without debt (GenericLogic.calculateUserAccountData).
 *
 * @param weightedThreshold USD8 times basis points.
 */
export function healthFactorOf(weightedThreshold: bigint, totalDebtUsd8: bigint): bigint {
  if (totalDebtUsd8 === 0n) return UINT256_MAX;
  return mulDivHalfUp(weightedThreshold, WAD, totalDebtUsd8) / 10_000n;
}

/** Liquidatable iff the health factor is strictly below one (ValidationLogic.validateLiquidationCall). */
export function isLiquidatable(healthFactorWad: bigint): boolean {
  return healthFactorWad < WAD;
}
