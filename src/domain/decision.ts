import type { LiquidationPlan } from './plan.js';
import type { LiquidationCandidate, Opportunity } from './opportunity.js';

/**
 * Every reason for which the bot does not liquidate a position with a health factor below 1. Stored in rows
 * and shown to operators.
 */
export const REJECTION_REASONS = {
  'price-missing': 'the oracle gives no price for an asset of the position',
  'price-stale': 'a price is older than oracles.maxAgeSeconds',
  'price-jump': 'a price moved more than oracles.maxMovePerBlockBps in one block',
  'native-price-out-of-range': 'the price of the native token is below 0.01 or above 1,000,000 USD',
  'native-price-differs': 'oracles.nativeUsdFeed is more than 5 % away from the price of a lending market',
  'set-aside': 'our books and the chain differ about this position',
  'reserve-paused': 'the collateral or the debt reserve is paused or inactive',
  'grace-period': 'the reserve is inside its liquidation grace period',
  'sequencer-grace': 'the oracle sentinel does not allow liquidations yet',
  'only-through-wrapper':
    'only a wrapper around a price feed opens the position now, and liquidating through one is not supported',
  'only-through-pre-liquidation':
    'only a pre-liquidation contract that the borrower authorised may take a part of the position now, and calling one is not supported',
  'not-open-yet': 'the market allows the liquidation only from a later block time on',
  'no-collateral': 'nothing is left to seize',
  'debt-in-native': 'the debt can be repaid in the native coin alone, and our contract pays in tokens',
  'bonus-below-floor': 'even the whole bonus, without any cost, is below planner.minProfitUsd',
  'no-route': 'no route of at most three pools leads from this collateral to this debt',
  'pools-not-read': 'the pools are being looked for and read: a route may be known in one of the next blocks',
  'no-lender':
    'only a loan can fund this liquidation, and no lender of liquidity.flash has enough of the debt token, or each loan reverted in the simulation',
  'route-too-shallow': 'the pools cannot deliver the debt for less than the seized collateral',
  'collateral-not-payable':
    'the market holds too little of the collateral to pay out: others have borrowed it, and what fits is not worth a transaction',
  'simulation-reverted': 'the contract call reverted at the planning block',
  'proof-unsettled':
    'each simulation asked for another gas limit, bid or floor than the one that it was made with',
  'profit-below-floor': 'profit after all costs is below planner.minProfitUsd',
  'endpoints-disagree':
    'two endpoints, or an endpoint and our state, say different things about the plan at its block',
  'second-endpoint-unavailable': 'only one endpoint answered, and a plan needs the word of two',
  'plan-too-old': 'the plan is older than execution.maxPlanAgeMs, or a newer block replaces its block',
  interrupted: 'the bot stopped, or lost its database, before this plan was authorised',
  'in-flight': 'a transaction for this position is already on its way',
  'comes-later':
    'more positions can be liquidated than one pass has time or a block has gas for: its turn is in one of the next blocks',
  'gas-above-block-share': 'by itself it needs more gas than planner.maxBlockGasShareBps allows in a block',
  'depends-on-earlier-plan':
    'once the plans sent before it have executed, its profit is below the floor, or the market cannot pay out its collateral',
  'database-away': 'the database is away: without a row nothing is signed',
  'standing-by': 'another process has the lease of the wallet, or the database that holds it is away',
  'protocol-paused': 'an operator has paused this market',
  'borrower-denied': 'an operator has denied this borrower',
  halted: 'the safety controller is HALTED',
  throttled: 'the safety controller is THROTTLED and safety.throttledInFlight transactions are in flight',
  'throttled-skip':
    'the safety controller is THROTTLED, and the position is of the share safety.throttledSkipBps that is left alone',
  'notional-above-limit': 'the debt to cover is above safety.maxSingleExecutionUsd',
  'daily-volume-reached': 'the UTC day would exceed safety.maxDailyVolumeUsd',
  'nonce-in-question':
    'the chain counts transactions of the operator wallet that the bot does not know, or refuses its nonce as used; it is being cleared',
  'one-at-a-time':
    'the operator wallet is an account with code, of which nodes take one transaction at a time',
  'operator-balance-low': 'the operator wallet holds less than safety.minOperatorBalanceEth',
  'fee-above-limit': 'even with the least bid its fee may be above safety.maxFeePerTransactionEth',
  'fee-above-node-cap':
    'even with the least bid its fee may be above what the nodes take for one transaction',
  'daily-fee-reached': 'the fees of the UTC day and of what is in flight may exceed safety.maxDailyFeeEth',
  'daily-loss-reached':
    'the losses of the UTC day, and of what is in flight if it reverts, may exceed safety.maxDailyLossUsd',
  'wallet-share-reached': 'what is in flight may take more of the wallet than safety.maxWalletShareBps',
  'in-flight-limit': 'as many transactions are in flight as the last outcomes allow',
} as const;

export type RejectionReason = keyof typeof REJECTION_REASONS;

/** A refusal with its reason and the numbers that led to it. */
export interface Rejection {
  readonly kind: 'rejected';
  readonly reason: RejectionReason;
  /**
   * The numbers that were compared. Amounts are decimal text, so that the detail can be stored and shown
   * unchanged.
   */
  readonly detail: Readonly<Record<string, string>>;
}

export interface Planned {
  readonly kind: 'planned';
  readonly plan: LiquidationPlan;
}

/**
 * How far a refused opportunity came: to a plan that was not profitable, or to a candidate whose call
 * reverted.
 */
export type Attempt = LiquidationPlan | LiquidationCandidate;

/**
 * The planner's decision about one opportunity. `attempt` is set when the opportunity reached the simulation.
 */
export type PlanDecision =
  Planned | (Rejection & { readonly opportunity: Opportunity; readonly attempt?: Attempt });

export function rejected(reason: RejectionReason, detail: Record<string, string> = {}): Rejection {
  return { kind: 'rejected', reason, detail };
}
