import { BASE_FEE_TOLERANCE } from '../domain/allotment.js';
import { liquidateCall } from '../contract/contract.js';
import { packBatch, packPlan, type Liquidation } from '../contract/plan.js';
import type { Bid } from '../domain/bid.js';
import { nativeUsd8, unavoidableCosts } from '../domain/costs.js';
import { rejected, type Rejection } from '../domain/decision.js';
import { profitAssetOf, profitIn, type Funding } from '../domain/funding.js';
import type { Address, Hex } from '../domain/hex.js';
import { amountWorth, BPS, max, min } from '../domain/money.js';
import type { LiquidationCandidate, Opportunity } from '../domain/opportunity.js';
import { PLAN_LIFETIME_SECONDS, type TransactionCall } from '../domain/plan.js';
import { lookBefore, stepOf } from '../protocols/market-kinds.js';
import type { PlanningContext } from './planning-context.js';
import { GAS_OF_HOP } from './pair-options.js';
import { grossUsd8Of, stepsOf, type Quote, type QuotedStep } from './quotes.js';
import { GAS_OF_STEP } from './step-search.js';
import { flashSwapSteps, saleSteps } from './steps.js';

/** Assumed until the simulation tells the gas. A flash-swap liquidation with two debts took less. */
export const GAS_BEFORE_SIMULATION = 700_000n;

/** A bid is spread over so much gas before the simulation tells the gas: a liquidation over one pool. */
const GAS_OF_BID = 350_000n;

/** A quoted liquidation as a call that can be simulated. */
export interface Draft {
  readonly opportunity: Opportunity;
  readonly quote: Quote;
  /**
   * One for each step of the quote. With the bare profit floor, because a plan that an earlier one made less
   * profitable may still pay.
   */
  readonly liquidations: readonly Liquidation[];
  /** Seconds since the epoch. */
  readonly deadline: bigint;
  readonly data: Hex;
  /** What it offers by its quote, and is simulated with; undefined: the floor leaves nothing. */
  readonly bid: Bid | undefined;
  /** Of the best liquidation alone, in case that several do not all succeed. */
  readonly alone?: Draft;
}

/** The draft of a quote, unless the quote does not even pay for the gas assumed before the simulation. */
export function draftOf(
  opportunity: Opportunity,
  quote: Quote,
  context: Pick<PlanningContext, 'block' | 'nativePriceUsd8' | 'bidOf'>,
  minProfitUsd8: bigint,
): Draft | Rejection {
  const { block, nativePriceUsd8, bidOf } = context;
  const steps = stepsOf(quote);
  const grossUsd8 = grossUsd8Of(quote);
  const { l2GasUsd8 } = unavoidableCosts(
    GAS_BEFORE_SIMULATION * BigInt(steps.length),
    block.baseFeePerGas,
    { l1Fee: 0n, operatorFee: 0n },
    nativePriceUsd8,
  );
  if (grossUsd8 < minProfitUsd8 + l2GasUsd8)
    return belowFloor(quote.candidate, {
      quotedProfitUsd8: String(grossUsd8),
      estimatedGasUsd8: String(l2GasUsd8),
      floorUsd8: String(minProfitUsd8),
    });
  const liquidations = steps.map((step) => {
    // Each is worth its share of the floor. It must not fail alone while all together reach the floor.
    const floorUsd8 = steps.length === 1 ? minProfitUsd8 : (minProfitUsd8 * step.grossUsd8) / grossUsd8;
    return liquidationOf(opportunity, step, floorUsd8);
  });
  const deadline = BigInt(block.timestamp + PLAN_LIFETIME_SECONDS);
  const gasUsed = gasOfBid(steps);
  const marginUsd8 = grossUsd8 - nativeUsd8(gasUsed * block.baseFeePerGas, nativePriceUsd8);
  const bid = bidOf({ grossProfitUsd8: grossUsd8, marginUsd8, gasUsed, nativePriceUsd8 });
  const alone = quote.alone && draftOf(opportunity, quote.alone, context, minProfitUsd8);
  return {
    ...{ opportunity, quote, liquidations, deadline, data: callOf(liquidations, deadline), bid },
    ...(alone && !('kind' in alone) && { alone }),
  };
}

function liquidationOf(
  { market, borrower }: Opportunity,
  { candidate, pair, funding, route, sharesBps }: QuotedStep,
  floorUsd8: bigint,
): Liquidation {
  const tokens = { collateral: candidate.collateral.address, debt: candidate.debt.address };
  const liquidate = stepOf(pair, candidate, funding.kind === 'callback' ? 'after' : 'before');
  return {
    market,
    borrower,
    tokens,
    profitIn: profitIn(funding),
    // The contract wants a floor of at least 1.
    minProfit: max(amountWorth(floorUsd8, profitAssetOf(funding, candidate)), 1n),
    look: lookBefore(pair, candidate.debtToCover),
    steps:
      funding.kind === 'flash-swap'
        ? flashSwapSteps(route, tokens, liquidate)
        : saleSteps(loanOf(funding, candidate), route, sharesBps, tokens, liquidate),
  };
}

function loanOf(
  funding: Funding,
  { debtToFund: amount }: LiquidationCandidate,
): { readonly lender: Address; readonly amount: bigint } | undefined {
  return funding.kind === 'loan' ? { lender: funding.lender, amount } : undefined;
}

function gasOfBid(steps: readonly QuotedStep[]): bigint {
  return steps.reduce((sum, { route }, index) => {
    const pools = route.parts.reduce((count, { hops }) => count + hops.length, 0);
    return sum + (index === 0 ? GAS_OF_BID : GAS_OF_STEP) + GAS_OF_HOP * BigInt(Math.max(0, pools - 1));
  }, 0n);
}

/** The fees that a draft is simulated with. Its tip is at least the one that is signed. Wei per gas. */
export function feesOfDraft(
  { bid }: Pick<Draft, 'bid'>,
  { block, allowance }: Pick<PlanningContext, 'block' | 'allowance'>,
): Pick<TransactionCall, 'maxFeePerGas' | 'maxPriorityFeePerGas'> {
  const most = ((bid?.mostPerGasWei ?? 0n) * BigInt(allowance.bidShareBps)) / BPS;
  const maxPriorityFeePerGas = min(bid?.perGasWei ?? 0n, most);
  return {
    maxFeePerGas: block.baseFeePerGas * BASE_FEE_TOLERANCE + maxPriorityFeePerGas,
    maxPriorityFeePerGas,
  };
}

/** The profit does not reach the floor: by itself, or because the market can pay out no more collateral. */
export function belowFloor(
  { sizing, collateral, collateralSeized }: LiquidationCandidate,
  numbers: Record<string, string>,
): Rejection {
  if (sizing !== 'payable') return rejected('profit-below-floor', numbers);
  const payable = { collateral: collateral.symbol, payable: String(collateralSeized) };
  return rejected('collateral-not-payable', { ...payable, ...numbers });
}

/**
 * Calldata of one liquidation, or of several as items of a batch.
 *
 * @param gasLimits of the items; without one an item has no limit of its own.
 */
export function callOf(
  liquidations: readonly Liquidation[],
  deadline: bigint,
  gasLimits: readonly bigint[] = [],
): Hex {
  const [first] = liquidations;
  if (first && liquidations.length === 1) return liquidateCall(packPlan({ deadline }, first));
  const items = liquidations.map((liquidation, index) => ({ liquidation, gasLimit: gasLimits[index] ?? 0n }));
  return liquidateCall(packBatch({ deadline }, items), 'liquidateBatch');
}
