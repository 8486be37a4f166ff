import { mulDivFloor, UINT256_MAX, WAD } from '../../domain/money.js';
import { ORACLE_PRICE_SCALE, toAssetsUp, wMulDown } from './math.js';
import type { BluePosition, MarketTotals } from './market.js';

/** What a position owes, and how much it may owe, at a price. */
export interface PositionHealth {
  /** Loan token units, rounded up. */
  readonly borrowed: bigint;
  /** The most that a healthy position owes: loan token units, rounded down. */
  readonly maxBorrow: bigint;
  /** maxBorrow / borrowed, wad, rounded down: below 1 exactly when the position may be liquidated. */
  readonly healthFactorWad: bigint;
}

/**
 * The health of a position exactly as Morpho._isHealthy judges it.
 *
 * @param totals with the interest up to now.
 * @param price IOracle.price(): loan token units for 1e36 collateral token units.
 */
export function healthOf(
  { borrowAssets, borrowShares: allShares }: Pick<MarketTotals, 'borrowAssets' | 'borrowShares'>,
  { collateral, borrowShares }: BluePosition,
  price: bigint,
  lltvWad: bigint,
): PositionHealth {
  const maxBorrow = wMulDown(mulDivFloor(collateral, price, ORACLE_PRICE_SCALE), lltvWad);
  if (borrowShares === 0n) return { borrowed: 0n, maxBorrow, healthFactorWad: UINT256_MAX };
  const borrowed = toAssetsUp(borrowShares, borrowAssets, allShares);
  // No debt is so small that it rounds to 0: shares above 0 are rounded up to a unit at least.
  return { borrowed, maxBorrow, healthFactorWad: mulDivFloor(maxBorrow, WAD, borrowed) };
}

/** Morpho.liquidate takes a position only while its debt is above what it may owe. */
export function isLiquidatable({ borrowed, maxBorrow }: PositionHealth): boolean {
  return maxBorrow < borrowed;
}
