import type { Rejection } from './decision.js';
import type { Address } from './hex.js';
import type { Asset, LiquidationPair } from './opportunity.js';
import type { PositionId } from './position-id.js';
import type { Schedule } from './schedule.js';

/** A price that a position was valued with. */
export interface JudgedPrice {
  readonly symbol: string;
  /** When its feed last changed, seconds since the epoch; undefined for a source that has no rounds. */
  readonly updatedAt: number | undefined;
  /** It moved more than the guard allows since the previous block. */
  readonly jumped: boolean;
}

/** How much one liquidation may cover, and for how long the amount funded for it must stay sufficient. */
export interface SizeLimits {
  /** Debt, by value: USD with 8 decimals. */
  readonly maxNotionalUsd8: bigint;
  /** Interest accrues for so many seconds until the transaction is included. */
  readonly fundingHorizonSeconds: number;
}

/**
 * What a liquidation of one pair may bring, in floats: they may order, and decide nothing. USD8.
 *
 * @param seizedUsd8 what the liquidator gets, at the price of the protocol's oracle.
 * @param coveredUsd8 what it pays for that, at the same prices.
 */
export type WorthOfPair = (collateral: Asset, debt: Asset, seizedUsd8: number, coveredUsd8: number) => number;

/** What is owed of one token: units of it. */
export interface Debt {
  readonly asset: Address;
  readonly amount: bigint;
}

/**
 * A position whose health factor is below 1 or cannot be known. What may be done about it is computed when it
 * is asked for, because in a crash not all of them are looked at in one block.
 */
export interface AtRisk extends PositionId {
  /** The configured name of the market. */
  readonly protocol: string;
  /** Undefined when a price is missing: then `obstacle` names the asset. */
  readonly healthFactorWad: bigint | undefined;
  readonly totalCollateralUsd8: bigint;
  readonly totalDebtUsd8: bigint;
  /** Token by token. Empty where a price is missing. */
  readonly debts: readonly Debt[];
  /**
   * What the largest liquidation of the position is worth at most: of its pairs the best, 0 where there is
   * none. Cheap.
   */
  worthAtMost(worthOf: WorthOfPair): number;
  /** All prices that the health factor depends on. */
  readonly prices: readonly JudgedPrice[];
  /** From when on, and by which doors, the market lets a liquidation come. */
  readonly schedule: Schedule;
  /** Why the market does not allow a liquidation of the position now; undefined when it does. */
  readonly obstacle: Rejection | undefined;
  /**
   * What may be liquidated, within the limits. A pair without candidates has no amount that the protocol
   * would accept.
   */
  readonly pairs: readonly LiquidationPair[];
  /** The operator's limit on one liquidation, rather than the protocol, bounds an amount. */
  readonly limited: boolean;
}
