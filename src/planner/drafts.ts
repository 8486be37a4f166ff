import { BASE_FEE_TOLERANCE } from '../domain/allotment.js';
import { liquidateCall } from '../contract/contract.js';
import { packPlan, type Liquidation } from '../contract/plan.js';
import type { Bid } from '../domain/bid.js';
import { nativeUsd8, unavoidableCosts } from '../domain/costs.js';
import { rejected, type Rejection } from '../domain/decision.js';
import { profitAssetOf, profitIn } from '../domain/funding.js';
import type { Hex } from '../domain/hex.js';
import { amountWorth, BPS, max, min } from '../domain/money.js';
import type { LiquidationCandidate, Opportunity } from '../domain/opportunity.js';
import { PLAN_LIFETIME_SECONDS, type TransactionCall } from '../domain/plan.js';
import { lookBefore } from '../protocols/market-kinds.js';
import type { PlanningContext } from './planning-context.js';
import { GAS_OF_HOP, type Quote } from './quotes.js';
import { flashSwapSteps, saleSteps } from './steps.js';

/** Assumed until the simulation tells the gas. A flash-swap liquidation with two debts took less. */
export const GAS_BEFORE_SIMULATION = 700_000n;

/** A bid is spread over so much gas before the simulation tells the gas: a liquidation over one pool. */
const GAS_OF_BID = 350_000n;

/** A quoted liquidation as a call that can be simulated. */
export interface Draft {
  readonly opportunity: Opportunity;
  readonly quote: Quote;
  /** With the bare profit floor, because a plan that an earlier one made less profitable may still pay. */
  readonly liquidation: Liquidation;
  /** Seconds since the epoch. */
  readonly deadline: bigint;
  readonly data: Hex;
  /** What it offers by its quote, and is simulated with; undefined: the floor leaves nothing. */
  readonly bid: Bid | undefined;
}

/** The draft of a quote, unless the quote does not even pay for the gas assumed before the simulation. */
export function draftOf(
  opportunity: Opportunity,
  quote: Quote,
  { block, nativePriceUsd8, bidOf }: Pick<PlanningContext, 'block' | 'nativePriceUsd8' | 'bidOf'>,
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
  const gasUsed = gasOfBid(quote);
  const marginUsd8 = quote.grossUsd8 - nativeUsd8(gasUsed * block.baseFeePerGas, nativePriceUsd8);
  const bid = bidOf({ grossProfitUsd8: quote.grossUsd8, marginUsd8, gasUsed, nativePriceUsd8 });
  return { opportunity, quote, liquidation, deadline, data: callOf(liquidation, deadline), bid };
}

function gasOfBid({ route }: Quote): bigint {
  const pools = route.parts.reduce((sum, { hops }) => sum + hops.length, 0);
  return GAS_OF_BID + GAS_OF_HOP * BigInt(Math.max(0, pools - 1));
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
