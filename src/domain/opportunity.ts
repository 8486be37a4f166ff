import type { Block } from './block.js';
import type { Address } from './hex.js';

export interface Asset {
  readonly address: Address;
  readonly symbol: string;
  readonly decimals: number;
  /** USD with 8 decimals for one whole token, from the protocol's own oracle at the block of the pass. */
  readonly priceUsd8: bigint;
}

/**
 * Why an amount is worth trying. Profit is piecewise in the amount, so its best value lies on one of these edges:
 * the whole debt, the whole collateral, the close-factor cap, the most that leaves the protocol's minimum behind,
 * the amount beyond which the pool asks more for one more unit than its bonus is worth, or the operator's own limit.
 */
export type Sizing =
  'all-debt' | 'all-collateral' | 'close-factor' | 'leaves-minimum' | 'swap-depth' | 'notional-limit';

/** One (collateral, debt, amount) and what the protocol would do with it at the block of the pass. */
export interface LiquidationCandidate {
  readonly collateral: Asset;
  readonly debt: Asset;
  readonly sizing: Sizing;
  /** Debt token units the protocol takes. */
  readonly debtToCover: bigint;
  /**
   * Debt token units to hold when the protocol is called, at least `debtToCover`: it pays for the interest that
   * accrues until inclusion, so that a liquidation of all debt leaves none.
   */
  readonly debtToFund: bigint;
  /** Collateral units the liquidator receives. */
  readonly collateralSeized: bigint;
  /** Collateral units the protocol keeps of the bonus. */
  readonly protocolFee: bigint;
}

/** A (collateral, debt) choice of a position: the edges worth trying, and the protocol's maths for any other amount. */
export interface LiquidationPair {
  readonly candidates: readonly LiquidationCandidate[];
  /** The candidate covering `debtToCover` debt token units, or undefined where the protocol would refuse the amount. */
  readonly sized: (debtToCover: bigint, sizing: Sizing) => LiquidationCandidate | undefined;
}

/** A position that can be liquidated at `block`, with the amounts worth planning. */
export interface Opportunity {
  /** The configured name of the protocol, for instance "aave". */
  readonly protocol: string;
  /** The contract whose liquidation function is called (Aave: the Pool). */
  readonly market: Address;
  readonly borrower: Address;
  readonly block: Block;
  readonly healthFactorWad: bigint;
  readonly totalCollateralUsd8: bigint;
  readonly totalDebtUsd8: bigint;
  readonly pairs: readonly LiquidationPair[];
}
