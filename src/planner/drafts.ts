import { liquidateCall } from '../contract/contract.js';
import { packPlan, type Liquidation } from '../contract/plan.js';
import { unavoidableCosts } from '../domain/costs.js';
import { rejected, type Rejection } from '../domain/decision.js';
import { profitAssetOf, profitIn } from '../domain/funding.js';
import type { Hex } from '../domain/hex.js';
import { amountWorth, max } from '../domain/money.js';
import type { LiquidationCandidate, Opportunity } from '../domain/opportunity.js';
import { PLAN_LIFETIME_SECONDS } from '../domain/plan.js';
import { lookBefore } from '../protocols/market-kinds.js';
import type { PlanningContext } from './planning-context.js';
import type { Quote } from './quotes.js';
import { flashSwapSteps, saleSteps } from './steps.js';

/** Assumed until the simulation tells the gas. A flash-swap liquidation with two debts took less. */
export const GAS_BEFORE_SIMULATION = 700_000n;

/** A quoted liquidation as a call that can be simulated. */
export interface Draft {
  readonly opportunity: Opportunity;
  readonly quote: Quote;
  /** With the bare profit floor, because a plan that an earlier one made less profitable may still pay. */
  readonly liquidation: Liquidation;
  /** Seconds since the epoch. */
  readonly deadline: bigint;
  readonly data: Hex;
}

/** The draft of a quote, unless the quote does not even pay for the gas assumed before the simulation. */
export function draftOf(
  opportunity: Opportunity,
  quote: Quote,
  { block, nativePriceUsd8 }: Pick<PlanningContext, 'block' | 'nativePriceUsd8'>,
  minProfitUsd8: bigint,
): Draft | Rejection {
  const { l2GasUsd8 } = unavoidableCosts(
    GAS_BEFORE_SIMULATION,
    block.baseFeePerGas,
    { l1Fee: 0n, operatorFee: 0n },
    nativePriceUsd8,
  );
  if (quote.grossUsd8 < minProfitUsd8 + l2GasUsd8)
    return belowFloor(quote.candidate, {
      quotedProfitUsd8: String(quote.grossUsd8),
      estimatedGasUsd8: String(l2GasUsd8),
      floorUsd8: String(minProfitUsd8),
    });
  const { candidate, funding, route, sharesBps } = quote;
  const tokens = { collateral: candidate.collateral.address, debt: candidate.debt.address };
  const liquidation: Liquidation = {
    market: opportunity.market,
    borrower: opportunity.borrower,
    tokens,
    profitIn: profitIn(funding),
    // The contract wants a floor of at least 1.
    minProfit: max(amountWorth(minProfitUsd8, profitAssetOf(funding, candidate)), 1n),
    ...lookOf(opportunity, candidate),
    steps:
      funding.kind === 'flash-swap'
        ? flashSwapSteps(route, tokens)
        : saleSteps({ lender: funding.lender, amount: candidate.debtToFund }, route, sharesBps, tokens),
  };
  const deadline = BigInt(block.timestamp + PLAN_LIFETIME_SECONDS);
  return { opportunity, quote, liquidation, deadline, data: callOf(liquidation, deadline) };
}

/** The look at the debt of the candidate's pair. */
function lookOf(
  { pairs }: Opportunity,
  { collateral, debt, debtToCover }: LiquidationCandidate,
): Pick<Liquidation, 'look'> {
  const pair = pairs.find(
    ({ candidates: [first] }) =>
      first?.collateral.address === collateral.address && first.debt.address === debt.address,
  );
  return pair ? { look: lookBefore(pair, debtToCover) } : {};
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

/** Calldata of a liquidation. */
export function callOf(liquidation: Liquidation, deadline: bigint): Hex {
  return liquidateCall(packPlan({ deadline }, liquidation));
}
