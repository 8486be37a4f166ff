import type { Block } from './block.js';
import type { Costs } from './costs.js';
import type { Address, Hex } from './hex.js';
import type { LiquidationCandidate } from './opportunity.js';

/** The contract refuses a plan later than this after its block: long enough to be included, too short to go stale. */
export const PLAN_LIFETIME_SECONDS = 60;

/** The pool that lends the debt token by flash swap and takes the collateral for it. */
export interface Route {
  readonly kind: 'uniswap-v3';
  readonly pool: Address;
  /** Hundredths of a basis point, as Uniswap v3 names its tiers (500 = 0.05 %). */
  readonly feePips: number;
  /** Collateral units the pool asks for `debtToFund`, by the quoter at the planning block. */
  readonly quotedInput: bigint;
}

/** What the contract returned when the very call was simulated at the planning block. */
export interface Simulation {
  /** Debt token units. */
  readonly debtCovered: bigint;
  /** Collateral units. */
  readonly collateralSeized: bigint;
  /** Collateral units paid to the pool. */
  readonly swapInput: bigint;
  /** Collateral units left to the treasury. */
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
  /** Wei per gas: this is the bid. */
  readonly maxPriorityFeePerGas: bigint;
}

/** One liquidation, proved by simulation against `block`, ready to be authorised and signed. */
export interface LiquidationPlan {
  readonly protocol: string;
  readonly market: Address;
  readonly borrower: Address;
  readonly block: Block;
  readonly healthFactorWad: bigint;
  readonly candidate: LiquidationCandidate;
  readonly route: Route;
  readonly simulation: Simulation;
  /** Collateral units; the contract reverts below it. */
  readonly minProfit: bigint;
  /** Seconds since the epoch; the contract reverts after it. */
  readonly deadline: number;
  /** Value of the debt covered, rounded up: what the limits count. */
  readonly notionalUsd8: bigint;
  /** Value of the simulated profit before gas, fees and bid. */
  readonly grossProfitUsd8: bigint;
  readonly costs: Costs;
  /** grossProfitUsd8 less every cost and the bid. */
  readonly netProfitUsd8: bigint;
  /** USD with 8 decimals for one native token, at the planning block; also values the fees of the receipt. */
  readonly nativePriceUsd8: bigint;
  readonly call: TransactionCall;
}
