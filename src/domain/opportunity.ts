import type { Block } from './block.js';
import type { Address } from './hex.js';
import { mulDivCeil } from './money.js';
import type { PositionId } from './position-id.js';
import type { Schedule } from './schedule.js';

export interface Asset {
  readonly address: Address;
  readonly symbol: string;
  readonly decimals: number;
  /** USD with 8 decimals for one whole token, from the protocol's own oracle at the block of the pass. */
  readonly priceUsd8: bigint;
}

/**
 * Why an amount is worth trying. The slope of the profit changes only at a few amounts, so the best amount is
 * one of these: the whole debt, the whole collateral, the close-factor cap, the most that leaves the
 * protocol's minimum behind, the amount beyond which the pool asks more for one more unit than its bonus is
 * worth, what the market can pay out of the collateral, what the lender has, the operator's limit, or the
 * most that leaves the position open to another step in the same transaction.
 */
export type Sizing =
  | 'all-debt'
  | 'all-collateral'
  | 'close-factor'
  | 'leaves-minimum'
  | 'swap-depth'
  | 'payable'
  | 'lender-depth'
  | 'notional-limit'
  | 'leaves-open';

/** One collateral, debt and amount, and what the protocol would do with them at the block of the pass. */
export interface LiquidationCandidate {
  readonly collateral: Asset;
  readonly debt: Asset;
  readonly sizing: Sizing;
  /** Debt token units the protocol takes. */
  readonly debtToCover: bigint;
  /**
   * Debt token units to hold when the protocol is called, at least `debtToCover`. The rest pays for the
   * interest that accrues until inclusion, so that a liquidation of all debt leaves no debt.
   */
  readonly debtToFund: bigint;
  /** Collateral units the liquidator receives. */
  readonly collateralSeized: bigint;
  /** Collateral units the protocol keeps of the bonus. */
  readonly protocolFee: bigint;
}

/**
 * The most collateral that the protocol pays out until inclusion: where a side is cleared, interest makes the
 * amount a little larger. Collateral units.
 */
export function mostSeized({ collateralSeized, debtToCover, debtToFund }: LiquidationCandidate): bigint {
  return mulDivCeil(collateralSeized, debtToFund, debtToCover);
}

/**
 * What a lending family needs to compute its liquidation call for any amount. Only the family that wrote the
 * terms reads more of them than `kind`. They are plain data (bigint, string, number, boolean, and objects of
 * these), so that an opportunity can be stored and computed again.
 */
export interface SizingTerms {
  /** The kind of the lending family, as the configuration names it. */
  readonly kind: string;
}

/**
 * One collateral and one debt of a position, with the amounts worth trying. `sizePair` of
 * src/protocols/market-kinds.ts computes the candidate for any other amount.
 */
export interface LiquidationPair {
  readonly terms: SizingTerms;
  /**
   * Collateral units that the market can pay out to liquidators. Others may have borrowed most of it: a
   * liquidation that seizes more reverts. Undefined where the market does not tell.
   */
  readonly payable: bigint | undefined;
  readonly candidates: readonly LiquidationCandidate[];
}

/** A position that can be liquidated at `block`, with the amounts worth planning. Plain data. */
export interface Opportunity extends PositionId {
  /** The configured name of the protocol, for instance "aave". */
  readonly protocol: string;
  readonly block: Block;
  readonly healthFactorWad: bigint;
  readonly totalCollateralUsd8: bigint;
  readonly totalDebtUsd8: bigint;
  readonly schedule: Schedule;
  readonly pairs: readonly LiquidationPair[];
}
