import { min, mulDivCeil, mulDivFloor, max } from '../../domain/money.js';
import {
  liquidationIncentive,
  ORACLE_PRICE_SCALE,
  toAssetsDown,
  toAssetsUp,
  toSharesUp,
  wDivUp,
  wMulDown,
} from './math.js';
import type { BluePosition, MarketTotals } from './market.js';

/** With what Morpho.liquidate is called: collateral units to seize, or borrow shares to repay. */
export interface LiquidationAmount {
  readonly unit: 'collateral' | 'shares';
  readonly amount: bigint;
}

/** What Morpho.liquidate does with an amount. */
export interface LiquidationResult {
  /** Collateral units sent to the liquidator. */
  readonly seizedAssets: bigint;
  /** Loan token units taken from the liquidator. */
  readonly repaidAssets: bigint;
  readonly repaidShares: bigint;
  /** Loan token units written off, which the suppliers lose. 0 unless no collateral is left. */
  readonly badDebtAssets: bigint;
  readonly badDebtShares: bigint;
  /** The position afterwards. */
  readonly position: BluePosition;
  /** The market afterwards. */
  readonly totals: MarketTotals;
}

/** What decides a liquidation of one position. */
export interface LiquidationInputs {
  /** With the interest up to now. */
  readonly totals: MarketTotals;
  readonly position: BluePosition;
  /** IOracle.price(): loan token units for 1e36 collateral token units. */
  readonly price: bigint;
  readonly lltvWad: bigint;
}

/**
 * What Morpho.liquidate takes and gives of an unhealthy position, with the rounding of each of its steps.
 * Undefined where it reverts: an amount of 0, more than the position has, or a price of 0.
 */
export function liquidationResult(
  { totals, position, price, lltvWad }: LiquidationInputs,
  { unit, amount }: LiquidationAmount,
): LiquidationResult | undefined {
  const { borrowAssets, borrowShares } = totals;
  if (amount <= 0n) return undefined;
  const incentive = liquidationIncentive(lltvWad);
  if (unit === 'shares' && price === 0n) return undefined;
  const repaidShares =
    unit === 'shares'
      ? amount
      : toSharesUp(
          wDivUp(mulDivCeil(amount, price, ORACLE_PRICE_SCALE), incentive),
          borrowAssets,
          borrowShares,
        );
  const seizedAssets =
    unit === 'collateral'
      ? amount
      : mulDivFloor(
          wMulDown(toAssetsDown(amount, borrowAssets, borrowShares), incentive),
          ORACLE_PRICE_SCALE,
          price,
        );
  if (repaidShares > position.borrowShares || seizedAssets > position.collateral) return undefined;
  const repaidAssets = toAssetsUp(repaidShares, borrowAssets, borrowShares);
  const left: BluePosition = {
    collateral: position.collateral - seizedAssets,
    borrowShares: position.borrowShares - repaidShares,
  };
  const after = {
    ...totals,
    borrowShares: borrowShares - repaidShares,
    borrowAssets: max(borrowAssets - repaidAssets, 0n),
  };
  const taken = { seizedAssets, repaidAssets, repaidShares };
  if (left.collateral > 0n)
    return { ...taken, badDebtAssets: 0n, badDebtShares: 0n, position: left, totals: after };
  const badDebtShares = left.borrowShares;
  const badDebtAssets = min(
    after.borrowAssets,
    toAssetsUp(badDebtShares, after.borrowAssets, after.borrowShares),
  );
  return {
    ...taken,
    badDebtAssets,
    badDebtShares,
    position: { collateral: 0n, borrowShares: 0n },
    totals: {
      ...after,
      borrowAssets: after.borrowAssets - badDebtAssets,
      borrowShares: after.borrowShares - badDebtShares,
      supplyAssets: after.supplyAssets - badDebtAssets,
    },
  };
}
