import { liquidateCall } from '../contract/contract.js';
import { packBatch, packPlan, type Liquidation } from '../contract/plan.js';
import { unavoidableCosts } from '../domain/costs.js';
import { rejected, type Rejection } from '../domain/decision.js';
import { profitAssetOf, profitIn, type Funding } from '../domain/funding.js';
import type { Address, Hex } from '../domain/hex.js';
import { amountWorth, max } from '../domain/money.js';
import type { LiquidationCandidate, Opportunity } from '../domain/opportunity.js';
import { PLAN_LIFETIME_SECONDS } from '../domain/plan.js';
import { lookBefore, stepOf } from '../protocols/market-kinds.js';
import type { Proved } from './agreement.js';
import type { PlanningContext } from './planning-context.js';
import { grossUsd8Of, stepsOf, type Quote, type QuotedStep } from './quotes.js';
import { gasBeforeSimulation } from './step-gas.js';
import { flashSwapSteps, saleSteps } from './steps.js';

/** The fees beside L2 gas are asked for so much gas, before a simulation tells it. */
export const GAS_BEFORE_SIMULATION = 700_000n;

/** A quoted liquidation, from which a call is made that can be simulated. */
export interface Draft {
  readonly opportunity: Opportunity;
  readonly quote: Quote;
  /** One for each step of the quote, with its share of the bare profit floor: below it nothing pays. */
  readonly liquidations: readonly Liquidation[];
  /** Seconds since the epoch. */
  readonly deadline: bigint;
  /** What its last simulation told, when its call was not as it has to be. The next one is made of it. */
  readonly measured?: Measured;
  /** How often its call was made anew. */
  readonly remade?: number;
  /** Of the best liquidation alone, in case that several do not all succeed. */
  readonly alone?: Draft;
}

/** What a simulation told of a draft. */
export type Measured = Omit<Proved, 'kind'>;

/** The draft of a quote, unless the quote does not even pay for the gas assumed before the simulation. */
export function draftOf(
  opportunity: Opportunity,
  quote: Quote,
  context: Pick<PlanningContext, 'block' | 'nativePriceUsd8'>,
  minProfitUsd8: bigint,
): Draft | Rejection {
  const { block, nativePriceUsd8 } = context;
  const steps = stepsOf(quote);
  const grossUsd8 = grossUsd8Of(quote);
  const { l2GasUsd8 } = unavoidableCosts(
    steps.reduce((sum, { pair }) => sum + gasBeforeSimulation(pair), 0n),
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
  const alone = quote.alone && draftOf(opportunity, quote.alone, context, minProfitUsd8);
  return {
    ...{ opportunity, quote, liquidations, deadline },
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
