import type { BidModel } from './bid.js';
import type { Block } from './block.js';
import type { Spend, SpendingReason } from './spend.js';
import type { Costs } from './costs.js';
import type { Address, Hex } from './hex.js';
import type { Funding } from './funding.js';
import type { Asset, LiquidationCandidate } from './opportunity.js';
import type { PositionId } from './position-id.js';
import type { Route } from './route.js';

/**
 * The contract accepts a plan for this long after its block: long enough to be included, too short to become
 * stale.
 */
export const PLAN_LIFETIME_SECONDS = 60;

/** What the contract returned when the call was simulated at the planning block. */
export interface Simulation {
  /** Debt token units. */
  readonly debtCovered: bigint;
  /** Collateral units. */
  readonly collateralSeized: bigint;
  /** Collateral units paid to the pools; 0 where collateral and debt are the same token. */
  readonly swapInput: bigint;
  /** Debt token units that the pools gave for them. */
  readonly swapOutput: bigint;
  /** Debt token units paid to the lender beside its loan. */
  readonly flashFee: bigint;
  /** Units of the profit token left to the treasury. */
  readonly profit: bigint;
  /** Gas of the whole transaction, intrinsic cost included. */
  readonly gasUsed: bigint;
}

export interface TransactionCall {
  readonly to: Address;
  readonly data: Hex;
  readonly gasLimit: bigint;
  /** Wei per gas. */
  readonly maxFeePerGas: bigint;
  /** Wei per gas. This is the bid. */
  readonly maxPriorityFeePerGas: bigint;
}

/** One liquidation of a transaction, as it was proved. */
export interface PlannedStep {
  readonly candidate: LiquidationCandidate;
  readonly funding: Funding;
  readonly route: Route;
  /** The token of the profit. */
  readonly profitAsset: Asset;
  /** Its gas is that of this step. */
  readonly simulation: Simulation;
  /** Units of the profit token. The contract undoes the step below it. */
  readonly minProfit: bigint;
}

/**
 * A transaction that a simulation at `block` proved. It is ready to be authorised and signed. Mostly it is
 * one liquidation. Where it is several of one borrower, the fields of {@link PlannedStep} are those of the
 * first, with the gas of the whole transaction, and all values in USD are of all of them.
 */
export interface LiquidationPlan extends PlannedStep, PositionId {
  readonly protocol: string;
  readonly block: Block;
  /**
   * The number of the earlier block at which it was simulated, as of the time at which interest opens its
   * position. Nothing that it stands on has changed up to `block`. Absent: it was simulated at `block`.
   */
  readonly provedAt?: number;
  readonly healthFactorWad: bigint;
  /** Seconds since the epoch. The contract reverts after it. */
  readonly deadline: number;
  /** Value of the covered debt, rounded up. The limits of the operator count it. */
  readonly notionalUsd8: bigint;
  /** Value of the simulated profit before gas, fees and bid. */
  readonly grossProfitUsd8: bigint;
  readonly costs: Costs;
  /** grossProfitUsd8 less every cost and the bid. */
  readonly netProfitUsd8: bigint;
  /** USD8 for one native token, at the planning block. The fees of the receipt are valued with it too. */
  readonly nativePriceUsd8: bigint;
  readonly call: TransactionCall;
  /** The most that the transaction may pay, and lose if it reverts. */
  readonly reservation: Spend;
  /** By which model its bid was made, and why it is that high. */
  readonly bid: { readonly model: BidModel | 'none'; readonly why: string };
  /** The limit that made the bid lower than its model wanted. */
  readonly bidLoweredBy: SpendingReason | undefined;
  /** The liquidations after the first one, in the same transaction. Absent where there are none. */
  readonly further?: readonly PlannedStep[];
}
