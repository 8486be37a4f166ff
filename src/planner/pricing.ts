import { BASE_FEE_TOLERANCE, type Allotment, type FeeNeed } from '../domain/allotment.js';
import { reservationOf } from '../domain/spend.js';
import type { Bid, BidPolicy } from '../domain/bid.js';
import { nativeUsd8, totalCostsUsd8, unavoidableCosts, type Costs } from '../domain/costs.js';
import { profitAssetOf, type Funding } from '../domain/funding.js';
import type { Address, Hex } from '../domain/hex.js';
import { costUsd8, mulDivCeil, valueUsd8 } from '../domain/money.js';
import type { LiquidationPlan, PlannedStep, Simulation } from '../domain/plan.js';
import { positionIdOf } from '../domain/position-id.js';
import { poolFees } from '../domain/route.js';
import type { FeeEstimate } from '../rpc/fees/chain-fees.js';
import type { ProvedOutcome } from './agreement.js';
import { callOf, type Draft, type Measured } from './drafts.js';
import { onChainFloor } from './floor.js';
import type { PlanningContext } from './planning-context.js';
import { limitsOf, type BurntGas, type GasLimits } from './proof-gas.js';
import { stepsOf, type QuotedStep } from './quotes.js';

/** The fee for L1 data may rise by this factor until inclusion. */
const L1_FEE_TOLERANCE = 2n;

export interface PricingPolicy extends Pick<BidPolicy, 'minProfitUsd8'> {
  /** How far the swap may be worse than simulated, of its input. */
  readonly slippageBps: number;
  readonly maxGasPerTransaction: bigint;
  /** The contract that is called. */
  readonly chimera: Address;
}

/** A draft with what it brings and costs before its bid: by a simulation, or as it is expected. */
export interface PricedDraft {
  readonly kind: 'priced';
  readonly draft: Draft;
  /** Of each liquidation of the draft. The gas of the first is that of the whole transaction. */
  readonly simulations: readonly Simulation[];
  readonly gas: BurntGas;
  readonly limits: GasLimits;
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

/** @param limits of its gas; by default those of what it burns. */
export function priceDraft(
  draft: Draft,
  { simulation: first, further = [], gasOfSteps = [], feesOf }: Measured,
  { block, nativePriceUsd8, bidOf }: Context & Pick<PlanningContext, 'bidOf'>,
  policy: PricingPolicy,
  limits = limitsOf({ total: first.gasUsed, ofSteps: gasOfSteps }, policy.maxGasPerTransaction),
): PricedDraft {
  const { gasUsed } = first;
  const steps = stepsOf(draft.quote);
  const proved = [first, ...further];
  const simulations = steps.flatMap((step, index) => {
    const outcome = proved[index];
    return outcome ? [simulationOf(step, outcome)] : [];
  });
  const sum = (of: (step: QuotedStep, simulation: Simulation) => bigint): bigint =>
    steps.reduce((total, step, index) => {
      const simulation = simulations[index];
      return simulation ? total + of(step, simulation) : total;
    }, 0n);
  const grossProfitUsd8 = sum(grossUsd8);
  const costsWithoutBid: Costs = {
    ...unavoidableCosts(gasUsed, block.baseFeePerGas, feesOf(gasUsed), nativePriceUsd8),
    bidUsd8: 0n,
    poolFeeUsd8: sum(({ route, candidate }, { swapInput }) =>
      costUsd8(poolFees(route, swapInput), candidate.collateral),
    ),
    flashFeeUsd8: sum(({ candidate }, { flashFee }) => costUsd8(flashFee, candidate.debt)),
  };
  const marginUsd8 = grossProfitUsd8 - totalCostsUsd8(costsWithoutBid);
  const bid = bidOf({ grossProfitUsd8, marginUsd8, gasUsed, nativePriceUsd8 });
  const gasLimit = gasLimitOf(limits, feesOf);
  const { l1Fee, operatorFee, l1Gas } = feesOf(limits.total);
  const need: FeeNeed = {
    gasLimit,
    baseFeePerGasWei: block.baseFeePerGas,
    besideGasWei: (l1Gas === undefined ? l1Fee * L1_FEE_TOLERANCE : 0n) + operatorFee,
    bidPerGasWei: bid?.perGasWei ?? 0n,
    mostBidPerGasWei: bid?.mostPerGasWei ?? 0n,
  };
  const gas = { total: gasUsed, ofSteps: gasOfSteps };
  return {
    ...{ kind: 'priced', draft, simulations, gas, limits, grossProfitUsd8, costsWithoutBid, bid, need },
  };
}

/** Where data on L1 is paid in gas, the gas limit pays for it. The cap of a transaction does not count it. */
export function gasLimitOf({ total }: Pick<GasLimits, 'total'>, feesOf: FeeEstimate): bigint {
  return total + (feesOf(total).l1Gas ?? 0n) * L1_FEE_TOLERANCE;
}

function grossUsd8({ funding, candidate }: QuotedStep, { profit }: Simulation): bigint {
  return valueUsd8(profit, profitAssetOf(funding, candidate));
}

/**
 * What the pools got and gave, from what the contract answered. With flash swaps they get all that was seized
 * and is not profit, and give what was covered. In a sale they get all that was seized, and give what pays
 * for debt, lender and profit. Where collateral and debt are the same token there are no pools.
 */
function simulationOf({ funding, route }: QuotedStep, outcome: ProvedOutcome): Simulation {
  const { debtCovered, collateralSeized, flashFee, profit } = outcome;
  if (route.parts.length === 0) return { ...outcome, swapInput: 0n, swapOutput: 0n };
  if (funding.kind === 'flash-swap')
    return { ...outcome, swapInput: collateralSeized - profit, swapOutput: debtCovered };
  return { ...outcome, swapInput: collateralSeized, swapOutput: debtCovered + flashFee + profit };
}

/**
 * The plan with these fees, and with the floors on chain that pay for them.
 *
 * @param data of its call, where the caller puts another call in its place: to pack one takes a while.
 */
export function planOf(
  { draft, simulations, gas, limits, grossProfitUsd8, costsWithoutBid, bid, need }: PricedDraft,
  { maxFeePerGas, maxPriorityFeePerGas, reservation, bidLoweredBy }: Fees,
  { block, nativePriceUsd8 }: Context,
  policy: PricingPolicy,
  data?: Hex,
): LiquidationPlan {
  const { opportunity, quote, liquidations, deadline } = draft;
  const gasUsed = gas.total;
  const costs: Costs = {
    ...costsWithoutBid,
    bidUsd8: nativeUsd8(gasUsed * maxPriorityFeePerGas, nativePriceUsd8),
  };
  const floorAndCostsUsd8 =
    policy.minProfitUsd8 + totalCostsUsd8({ ...costs, l2GasUsd8: costs.l2GasUsd8 * BASE_FEE_TOLERANCE });
  const [first, ...further] = stepsOf(quote).flatMap((step, index): PlannedStep[] => {
    const simulation = simulations[index];
    if (!simulation) return [];
    const { candidate, funding, route } = step;
    // Each of several liquidations pays its share of everything, by its profit.
    const share =
      simulations.length === 1 || grossProfitUsd8 === 0n
        ? floorAndCostsUsd8
        : mulDivCeil(floorAndCostsUsd8, grossUsd8(step, simulation), grossProfitUsd8);
    return [{ candidate, funding, route, simulation, ...floorOf(step, simulation, share, policy) }];
  });
  if (!first) throw new Error('a plan has at least one liquidation');
  const steps = [first, ...further];
  const floored = liquidations.map((one, index) => {
    const step = steps[index];
    if (!step) throw new Error('each liquidation of a plan is proved');
    return { ...one, minProfit: step.minProfit };
  });
  return {
    protocol: opportunity.protocol,
    ...positionIdOf(opportunity),
    block,
    healthFactorWad: opportunity.healthFactorWad,
    ...first,
    deadline: Number(deadline),
    notionalUsd8: steps.reduce(
      (sum, { simulation, candidate }) => sum + costUsd8(simulation.debtCovered, candidate.debt),
      0n,
    ),
    grossProfitUsd8,
    costs,
    netProfitUsd8: grossProfitUsd8 - totalCostsUsd8(costs),
    nativePriceUsd8,
    call: {
      to: policy.chimera,
      data: data ?? callOf(floored, deadline, limits.ofSteps),
      gasLimit: need.gasLimit,
      maxFeePerGas,
      maxPriorityFeePerGas,
    },
    reservation,
    bid: bid ? { model: bid.model, why: whyOf(bid, maxPriorityFeePerGas, bidLoweredBy) } : NO_BID,
    bidLoweredBy,
    ...(further.length > 0 && { further }),
  };
}

/** @param shareUsd8 what the liquidation must pay for. */
function floorOf(
  { candidate, funding }: QuotedStep,
  simulation: Simulation,
  shareUsd8: bigint,
  { slippageBps }: PricingPolicy,
): Pick<PlannedStep, 'profitAsset' | 'minProfit'> {
  const profitAsset = profitAssetOf(funding, candidate);
  const swapped = inProfitAsset(funding, simulation);
  const minProfit = onChainFloor(simulation.profit, swapped, profitAsset, shareUsd8, slippageBps);
  return { profitAsset, minProfit };
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
