import { bidUsd8, type BidPolicy } from '../domain/bid.js';
import {
  nativeUsd8,
  totalCostsUsd8,
  unavoidableCosts,
  weiWithin,
  type Costs,
  type FeesBesideGas,
} from '../domain/costs.js';
import type { Address } from '../domain/hex.js';
import { costUsd8, min, valueUsd8 } from '../domain/money.js';
import type { LiquidationPlan, Simulation } from '../domain/plan.js';
import { poolFees } from '../domain/route.js';
import { callOf, type Draft } from './drafts.js';
import { onChainFloor } from './floor.js';
import type { PlanningContext } from './planning-context.js';

/** The base fee may rise by this factor until inclusion. The profit floor on chain pays for it. */
const BASE_FEE_TOLERANCE = 2n;

export interface PricingPolicy extends BidPolicy {
  /** How far the swap may be worse than simulated, of its input. */
  readonly slippageBps: number;
  readonly maxGasPerTransaction: bigint;
  /** The contract that is called. */
  readonly chimera: Address;
}

export interface PricedPlan {
  readonly plan: LiquidationPlan;
  /** Whether the profit after unavoidable costs is at least the floor. If not, the plan is for the books. */
  readonly pays: boolean;
}

/** The plan of a draft that succeeded in the simulation, with its costs, bid, floor on chain and fees. */
export function pricePlan(
  { opportunity, quote, liquidation, deadline }: Draft,
  simulation: Simulation,
  fees: FeesBesideGas,
  { block, nativePriceUsd8 }: Pick<PlanningContext, 'block' | 'nativePriceUsd8'>,
  policy: PricingPolicy,
): PricedPlan {
  const { candidate, route } = quote;
  const { gasUsed } = simulation;
  const grossProfitUsd8 = valueUsd8(simulation.profit, candidate.collateral);
  const withoutBid: Costs = {
    ...unavoidableCosts(gasUsed, block.baseFeePerGas, fees, nativePriceUsd8),
    bidUsd8: 0n,
    poolFeeUsd8: costUsd8(poolFees(route, simulation.swapInput), candidate.collateral),
    flashFeeUsd8: 0n,
  };
  const bid = bidUsd8(grossProfitUsd8 - totalCostsUsd8(withoutBid), policy);
  const maxPriorityFeePerGas = weiWithin(bid ?? 0n, nativePriceUsd8) / gasUsed;
  const costs: Costs = {
    ...withoutBid,
    bidUsd8: nativeUsd8(gasUsed * maxPriorityFeePerGas, nativePriceUsd8),
  };
  const minProfit = onChainFloor(
    simulation,
    candidate.collateral,
    policy.minProfitUsd8 + totalCostsUsd8({ ...costs, l2GasUsd8: costs.l2GasUsd8 * BASE_FEE_TOLERANCE }),
    policy.slippageBps,
  );
  const plan: LiquidationPlan = {
    protocol: opportunity.protocol,
    market: opportunity.market,
    borrower: opportunity.borrower,
    block,
    healthFactorWad: opportunity.healthFactorWad,
    candidate,
    route,
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
      gasLimit: min((gasUsed * 13n) / 10n + 50_000n, policy.maxGasPerTransaction),
      maxFeePerGas: block.baseFeePerGas * BASE_FEE_TOLERANCE + maxPriorityFeePerGas,
      maxPriorityFeePerGas,
    },
  };
  return { plan, pays: bid !== undefined };
}
