import { BASE_FEE_TOLERANCE, type Allotment, type FeeNeed } from '../domain/allotment.js';
import { reservationOf } from '../domain/spend.js';
import type { Bid, BidPolicy } from '../domain/bid.js';
import { nativeUsd8, totalCostsUsd8, unavoidableCosts, type Costs } from '../domain/costs.js';
import { profitAssetOf, type Funding } from '../domain/funding.js';
import type { Address } from '../domain/hex.js';
import { costUsd8, min, valueUsd8 } from '../domain/money.js';
import type { LiquidationPlan, Simulation } from '../domain/plan.js';
import { poolFees } from '../domain/route.js';
import type { Proved, ProvedOutcome } from './agreement.js';
import { callOf, type Draft } from './drafts.js';
import { onChainFloor } from './floor.js';
import type { PlanningContext } from './planning-context.js';
import type { Quote } from './quotes.js';

/** The fee for L1 data may rise by this factor until inclusion. */
const L1_FEE_TOLERANCE = 2n;

export interface PricingPolicy extends Pick<BidPolicy, 'minProfitUsd8'> {
  /** How far the swap may be worse than simulated, of its input. */
  readonly slippageBps: number;
  readonly maxGasPerTransaction: bigint;
  /** The contract that is called. */
  readonly chimera: Address;
}

/** A draft that succeeded in the simulation, with what it brings and costs before its bid. */
export interface PricedDraft {
  readonly kind: 'priced';
  readonly draft: Draft;
  readonly simulation: Simulation;
  readonly grossProfitUsd8: bigint;
  readonly costsWithoutBid: Costs;
  /** What it offers; undefined: it does not reach the floor even without a bid, and is for the books. */
  readonly bid: Bid | undefined;
  /** Its fees with the whole bid that the margin allows. */
  readonly need: FeeNeed;
}

type Context = Pick<PlanningContext, 'block' | 'nativePriceUsd8'>;

/** Of a plan that does not reach the floor. */
const NO_BID = { model: 'none', why: 'below the floor without a bid' } as const;
type Fees = Omit<Allotment, 'kind'>;

export function priceDraft(
  draft: Draft,
  { simulation: proved, feesOf }: Pick<Proved, 'simulation' | 'feesOf'>,
  { block, nativePriceUsd8, bidOf }: Context & Pick<PlanningContext, 'bidOf'>,
  policy: PricingPolicy,
): PricedDraft {
  const { candidate, funding, route } = draft.quote;
  const simulation = simulationOf(draft.quote, proved);
  const { gasUsed } = simulation;
  const grossProfitUsd8 = valueUsd8(simulation.profit, profitAssetOf(funding, candidate));
  const costsWithoutBid: Costs = {
    ...unavoidableCosts(gasUsed, block.baseFeePerGas, feesOf(gasUsed), nativePriceUsd8),
    bidUsd8: 0n,
    poolFeeUsd8: costUsd8(poolFees(route, simulation.swapInput), candidate.collateral),
    flashFeeUsd8: costUsd8(simulation.flashFee, candidate.debt),
  };
  const marginUsd8 = grossProfitUsd8 - totalCostsUsd8(costsWithoutBid);
  const bid = lower(draft.bid, bidOf({ grossProfitUsd8, marginUsd8, gasUsed, nativePriceUsd8 }));
  const gasLimit = min((gasUsed * 13n) / 10n + 50_000n, policy.maxGasPerTransaction);
  const { l1Fee, operatorFee } = feesOf(gasLimit);
  const need: FeeNeed = {
    gasLimit,
    baseFeePerGasWei: block.baseFeePerGas,
    besideGasWei: l1Fee * L1_FEE_TOLERANCE + operatorFee,
    bidPerGasWei: bid?.perGasWei ?? 0n,
    mostBidPerGasWei: bid?.mostPerGasWei ?? 0n,
  };
  return { kind: 'priced', draft, simulation, grossProfitUsd8, costsWithoutBid, bid, need };
}

/**
 * What is signed is never more than what was simulated: a pool may take a part of the tip. Nor is it more
 * than what the simulated profit allows.
 */
function lower(simulated: Bid | undefined, allowed: Bid | undefined): Bid | undefined {
  if (!allowed) return undefined;
  if (!simulated)
    return { ...allowed, perGasWei: 0n, mostPerGasWei: 0n, why: 'its quote left nothing to bid' };
  const one = simulated.perGasWei < allowed.perGasWei ? simulated : allowed;
  return { ...one, mostPerGasWei: min(simulated.mostPerGasWei, allowed.mostPerGasWei) };
}

/**
 * What the pools got and gave, from what the contract answered. With flash swaps they get all that was seized
 * and is not profit, and give what was covered. In a sale they get all that was seized, and give what pays
 * for debt, lender and profit. Where collateral and debt are the same token there are no pools.
 */
function simulationOf({ funding, route }: Quote, outcome: ProvedOutcome): Simulation {
  const { debtCovered, collateralSeized, flashFee, profit } = outcome;
  if (route.parts.length === 0) return { ...outcome, swapInput: 0n, swapOutput: 0n };
  if (funding.kind === 'flash-swap')
    return { ...outcome, swapInput: collateralSeized - profit, swapOutput: debtCovered };
  return { ...outcome, swapInput: collateralSeized, swapOutput: debtCovered + flashFee + profit };
}

/** The plan with these fees, and with the floor on chain that pays for them. */
export function planOf(
  { draft, simulation, grossProfitUsd8, costsWithoutBid, bid, need }: PricedDraft,
  { maxFeePerGas, maxPriorityFeePerGas, reservation, bidLoweredBy }: Fees,
  { block, nativePriceUsd8 }: Context,
  policy: PricingPolicy,
): LiquidationPlan {
  const { opportunity, quote, liquidation, deadline } = draft;
  const { candidate, funding, route } = quote;
  const profitAsset = profitAssetOf(funding, candidate);
  const costs: Costs = {
    ...costsWithoutBid,
    bidUsd8: nativeUsd8(simulation.gasUsed * maxPriorityFeePerGas, nativePriceUsd8),
  };
  const minProfit = onChainFloor(
    simulation.profit,
    inProfitAsset(funding, simulation),
    profitAsset,
    policy.minProfitUsd8 + totalCostsUsd8({ ...costs, l2GasUsd8: costs.l2GasUsd8 * BASE_FEE_TOLERANCE }),
    policy.slippageBps,
  );
  return {
    protocol: opportunity.protocol,
    market: opportunity.market,
    borrower: opportunity.borrower,
    block,
    healthFactorWad: opportunity.healthFactorWad,
    candidate,
    funding,
    route,
    profitAsset,
    simulation,
    minProfit,
    deadline: Number(deadline),
    notionalUsd8: costUsd8(simulation.debtCovered, candidate.debt),
    grossProfitUsd8,
    costs,
    netProfitUsd8: grossProfitUsd8 - totalCostsUsd8(costs),
    nativePriceUsd8,
    call: {
      to: policy.chimera,
      data: callOf({ ...liquidation, minProfit }, deadline),
      gasLimit: need.gasLimit,
      maxFeePerGas,
      maxPriorityFeePerGas,
    },
    reservation,
    bid: bid ? { model: bid.model, why: whyOf(bid, maxPriorityFeePerGas, bidLoweredBy) } : NO_BID,
    bidLoweredBy,
  };
}

/**
 * What pays for everything, in the profit token: the collateral that flash swaps take, or what a sale gives.
 * Within one token that is what was seized: without a swap, rounding and interest still move the profit by
 * some units until inclusion.
 */
function inProfitAsset({ kind }: Funding, { swapInput, debtCovered, flashFee, profit }: Simulation): bigint {
  return kind === 'flash-swap' ? swapInput : debtCovered + flashFee + profit;
}

/** Why it offers what it offers: the words of the model, and what lowered it. */
function whyOf({ why, perGasWei }: Bid, tipPerGasWei: bigint, loweredBy: Fees['bidLoweredBy']): string {
  if (tipPerGasWei >= perGasWei) return why;
  return `${why}; lowered from ${perGasWei} to ${tipPerGasWei} wei per gas by ${loweredBy ?? 'the pace after losses'}`;
}

/** The fees of a plan that nothing limits. */
export function fullFees(
  { gasLimit, baseFeePerGasWei, besideGasWei, bidPerGasWei }: FeeNeed,
  nativePriceUsd8: bigint,
): Fees {
  const maxFeePerGas = baseFeePerGasWei * BASE_FEE_TOLERANCE + bidPerGasWei;
  return {
    maxFeePerGas,
    maxPriorityFeePerGas: bidPerGasWei,
    reservation: reservationOf(gasLimit * maxFeePerGas + besideGasWei, nativePriceUsd8),
    bidLoweredBy: undefined,
  };
}
