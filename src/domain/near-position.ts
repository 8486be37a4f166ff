import type { Address } from './hex.js';
import type { PositionId } from './position-id.js';

/** One token of a position, on one side. */
export interface Holding {
  readonly asset: Address;
  readonly symbol: string;
  readonly decimals: number;
  /** Units of the token. */
  readonly amount: bigint;
  /** USD8, at the price of the market's own oracle. */
  readonly valueUsd8: bigint;
}

/** A position near the edge at which it may be liquidated, exact at the block of a view. */
export interface NearPosition extends PositionId {
  /** The configured name of the market. */
  readonly protocol: string;
  readonly healthFactorWad: bigint;
  /** USD8. */
  readonly totalCollateralUsd8: bigint;
  readonly totalDebtUsd8: bigint;
  /** What may be seized. */
  readonly collaterals: readonly Holding[];
  readonly debts: readonly Holding[];
}
