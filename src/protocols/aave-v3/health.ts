import { mulDivFloor, unitOf, WAD } from '../../domain/money.js';
import {
  borrowIndexAt,
  eModeOf,
  liquidityIndexAt,
  priceOf,
  type AaveAccount,
  type AaveMarket,
  type EMode,
  type MarketConditions,
  type Reserve,
} from './market.js';

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
 * computes them (GenericLogic.calculateUserAccountData). Per reserve, in USD8, collateral is rounded down,
 * and debt as the rules of the version say.
 */
export function accountData(
  market: AaveMarket,
  account: AaveAccount,
  conditions: MarketConditions,
): AccountData | PriceMissing {
  const { tokens, debtUsd8: valueOfDebt, healthFactorWad, ignoresWithoutThreshold } = market.rules;
  let totalCollateralUsd8 = 0n;
  let totalDebtUsd8 = 0n;
  let weightedThreshold = 0n;
  const legs: ValuedLeg[] = [];

  for (const leg of account.legs) {
    const reserve = market.reserves.get(leg.reserveId);
    // A dropped reserve counts for nothing on chain either (reservesList holds address(0)).
    if (!reserve) continue;
    const counts = !ignoresWithoutThreshold || reserve.liquidationThresholdBps > 0n;
    const scaledCollateral = leg.usedAsCollateral && counts ? leg.scaledSupply : 0n;
    if (scaledCollateral === 0n && leg.scaledDebt === 0n) continue;
    const category = eModeOf(market, account, reserve);
    const priceUsd8 = priceOf(reserve, category, conditions.prices);
    if (priceUsd8 === undefined || (leg.scaledDebt > 0n && isPricedOtherwise(market, account, category)))
      return { priceMissing: reserve };

    const unit = unitOf(reserve.decimals);
    const { indexes } = reserve;
    // Most legs have one side only, and this runs at each block for every account that may be liquidatable.
    const collateral =
      scaledCollateral &&
      tokens.supplyBalance(scaledCollateral, liquidityIndexAt(indexes, conditions.timestamp));
    const collateralUsd8 = collateral && mulDivFloor(collateral, priceUsd8, unit);
    const debt =
      leg.scaledDebt && tokens.debtBalance(leg.scaledDebt, borrowIndexAt(indexes, conditions.timestamp));
    const debtUsd8 = debt && valueOfDebt(debt, priceUsd8, unit);

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

  const totals = { totalCollateralUsd8, totalDebtUsd8, weightedThreshold };
  return { ...totals, healthFactorWad: healthFactorWad(totals), legs };
}

/**
 * Before 3.2, a liquidation values every debt of an account at the price source of its e-mode, also a debt of
 * another category: LiquidationLogic._getConfigurationData takes it for granted that there is none. The
 * health factor does not. Such an account is left alone.
 */
function isPricedOtherwise(market: AaveMarket, account: AaveAccount, category: EMode | undefined): boolean {
  return !category && market.eModes.get(account.eMode)?.priceSource !== undefined;
}

/** Liquidatable iff the health factor is strictly below one (ValidationLogic.validateLiquidationCall). */
export function isLiquidatable(healthFactorWad: bigint): boolean {
  return healthFactorWad < WAD;
}
