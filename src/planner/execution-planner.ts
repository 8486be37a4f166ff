import { Injectable } from '@nestjs/common';
import { Transaction } from 'ethers';
import { ChimeraConfig } from '../config/index.js';
import { bidUsd8 } from '../domain/bid.js';
import { chainDescription } from '../domain/chain-description.js';
import type { Block } from '../domain/block.js';
import {
  nativeUsd8,
  totalCostsUsd8,
  unavoidableCosts,
  weiWithin,
  type Costs,
  type FeesBesideGas,
} from '../domain/costs.js';
import { rejected, type Attempt, type PlanDecision, type Rejection } from '../domain/decision.js';
import type { Address, Hex } from '../domain/hex.js';
import { amountWorth, costUsd8, max, min, mulDivCeil, valueUsd8 } from '../domain/money.js';
import type { Opportunity } from '../domain/opportunity.js';
import {
  PLAN_LIFETIME_SECONDS,
  type LiquidationPlan,
  type Simulation,
  type TransactionCall,
} from '../domain/plan.js';
import { PIPS } from '../liquidity/uniswap-v3.js';
import { UniswapV3Venue } from '../liquidity/uniswap-v3.venue.js';
import { OUTCOME_WORDS, readOutcome } from '../contract/bindings.js';
import { liquidateCall, parseRevert, revertReason } from '../contract/contract.js';
import { packPlan, type Liquidation } from '../contract/plan.js';
import { Chain } from '../rpc/chain/chain.js';
import type { SimulatedCall } from '../rpc/chain/simulate.js';
import { ChainFees } from '../rpc/fees/chain-fees.js';
import { readAt } from '../rpc/chain/read.js';
import { onChainFloor } from './floor.js';
import { bestQuotes, type Quote } from './quotes.js';

/** Gas assumed before the simulation tells: above what a flash-swap liquidation with two debts was measured at. */
const GAS_BEFORE_SIMULATION = 700_000n;
/** The base fee may rise this many times until inclusion; the floor on chain pays for it. */
const BASE_FEE_TOLERANCE = 2n;

export interface PlanningContext {
  readonly block: Block;
  readonly nativePriceUsd8: bigint;
  /** The executor that will sign: simulations are made in its name. */
  readonly operator: Address;
  /** Calls already sent and not yet mined, in nonce order: they will execute before anything planned now. */
  readonly pending: readonly Pick<TransactionCall, 'to' | 'data'>[];
}

interface Draft {
  readonly opportunity: Opportunity;
  readonly quote: Quote;
  /** With the bare profit floor: a plan that an earlier one made less profitable may still be worth sending. */
  readonly liquidation: Liquidation;
  /** Seconds since the epoch. */
  readonly deadline: bigint;
  readonly data: Hex;
}

/**
 * Opportunities to plans. Everything is read at the block of the context: quotes, then one simulation of the very calls,
 * in the order in which they will be sent, so that two plans that meet in one pool are proved together.
 */
@Injectable()
export class ExecutionPlanner {
  constructor(
    private readonly chain: Chain,
    private readonly venue: UniswapV3Venue,
    private readonly fees: ChainFees,
    private readonly config: ChimeraConfig,
  ) {}

  /** One decision per opportunity; the plans come in the order in which they were proved and must be sent. */
  async plan(opportunities: readonly Opportunity[], context: PlanningContext): Promise<PlanDecision[]> {
    if (opportunities.length === 0) return [];
    const quotes = await bestQuotes(this.chain, this.venue, opportunities, context.block.hash);
    const decisions: PlanDecision[] = [];
    const drafts: Draft[] = [];
    for (const [index, opportunity] of opportunities.entries()) {
      const quoted = quotes[index] ?? rejected('no-route');
      const draft = quoted.kind === 'quoted' ? this.draft(opportunity, quoted.quote, context) : quoted;
      if ('kind' in draft) decisions.push({ ...draft, opportunity });
      else drafts.push(draft);
    }
    drafts.sort((a, b) => (a.quote.grossUsd8 < b.quote.grossUsd8 ? 1 : -1));
    return [...(await this.prove(drafts, context)), ...decisions];
  }

  /** The call to simulate, unless the quote cannot even pay for costs assumed before the simulation. */
  private draft(opportunity: Opportunity, quote: Quote, context: PlanningContext): Draft | Rejection {
    const unavoidable = unavoidableCosts(
      GAS_BEFORE_SIMULATION,
      context.block.baseFeePerGas,
      { l1Fee: 0n, operatorFee: 0n },
      context.nativePriceUsd8,
    );
    const floorUsd8 = this.config.planner.minProfitUsd8;
    if (quote.grossUsd8 < floorUsd8 + unavoidable.l2GasUsd8)
      return rejected('profit-below-floor', {
        quotedProfitUsd8: String(quote.grossUsd8),
        estimatedGasUsd8: String(unavoidable.l2GasUsd8),
        floorUsd8: String(floorUsd8),
      });
    const { collateral, debt, debtToFund } = quote.candidate;
    const liquidation: Liquidation = {
      market: opportunity.market,
      borrower: opportunity.borrower,
      tokens: { collateral: collateral.address, debt: debt.address },
      profitIn: 'collateral',
      minProfit: max(amountWorth(floorUsd8, collateral), 1n),
      steps: [
        {
          kind: 'buy',
          amountOut: debtToFund,
          pool: { tokenIn: 'collateral', parameter: quote.pool.feePips },
        },
        { kind: 'liquidate' },
      ],
    };
    const deadline = BigInt(context.block.timestamp + PLAN_LIFETIME_SECONDS);
    return { opportunity, quote, liquidation, deadline, data: callOf(liquidation, deadline) };
  }

  private async prove(drafts: readonly Draft[], context: PlanningContext): Promise<PlanDecision[]> {
    if (drafts.length === 0) return [];
    const from = context.operator;
    const to = this.config.execution.chimera;
    const pending = context.pending.map((call) => ({ from, to: call.to, data: call.data }));
    const [simulated, fees] = await Promise.all([
      this.chain.simulateV1(
        [...pending, ...drafts.map(({ data }) => ({ from, to, data }))],
        context.block.hash,
      ),
      readAt(
        this.chain,
        this.fees.estimates(
          drafts.map((draft) => this.unsigned(draft)),
          GAS_BEFORE_SIMULATION,
        ),
        context.block.hash,
      ),
    ]);
    return drafts.map((draft, index) => {
      const result = simulated[pending.length + index];
      const estimate = fees[index];
      if (!result || !estimate) throw new Error('the simulation answered fewer calls than it was asked');
      const alone = pending.length + index === 0;
      const decision = this.decide(draft, result, estimate(result.gasUsed), context, alone);
      return decision.kind === 'planned' ? decision : { ...decision, opportunity: draft.opportunity };
    });
  }

  private decide(
    draft: Draft,
    result: SimulatedCall,
    fees: FeesBesideGas,
    context: PlanningContext,
    alone: boolean,
  ):
    | { readonly kind: 'planned'; readonly plan: LiquidationPlan }
    | (Rejection & { readonly attempt: Attempt }) {
    if (!result.success)
      return { ...refused(draft, result.returnData, alone), attempt: draft.quote.candidate };
    const outcome = simulationOf(result);
    if (!outcome)
      return {
        ...rejected('simulation-reverted', { revert: 'the node left the outcome out' }),
        attempt: draft.quote.candidate,
      };
    const { candidate, pool, input } = draft.quote;
    const { nativePriceUsd8, block } = context;
    const { maxGasPerTransaction } = chainDescription(this.config.network.chainId);
    const grossProfitUsd8 = valueUsd8(outcome.profit, candidate.collateral);
    const unavoidable = unavoidableCosts(result.gasUsed, block.baseFeePerGas, fees, nativePriceUsd8);
    const withoutBid: Costs = {
      ...unavoidable,
      bidUsd8: 0n,
      poolFeeUsd8: costUsd8(mulDivCeil(outcome.swapInput, BigInt(pool.feePips), PIPS), candidate.collateral),
      flashFeeUsd8: 0n,
    };
    const marginUsd8 = grossProfitUsd8 - totalCostsUsd8(withoutBid);
    const bid = bidUsd8(marginUsd8, this.config.planner);
    const maxPriorityFeePerGas = weiWithin(bid ?? 0n, nativePriceUsd8) / result.gasUsed;
    const costs: Costs = {
      ...withoutBid,
      bidUsd8: nativeUsd8(result.gasUsed * maxPriorityFeePerGas, nativePriceUsd8),
    };
    const { opportunity } = draft;
    const minProfit = onChainFloor(
      outcome,
      candidate.collateral,
      this.config.planner.minProfitUsd8 +
        totalCostsUsd8({ ...costs, l2GasUsd8: costs.l2GasUsd8 * BASE_FEE_TOLERANCE }),
      this.config.planner.slippageBps,
    );
    const plan: LiquidationPlan = {
      protocol: opportunity.protocol,
      market: opportunity.market,
      borrower: opportunity.borrower,
      block,
      healthFactorWad: opportunity.healthFactorWad,
      candidate,
      route: { kind: 'uniswap-v3', pool: pool.address, feePips: pool.feePips, quotedInput: input },
      simulation: outcome,
      minProfit,
      deadline: Number(draft.deadline),
      notionalUsd8: costUsd8(outcome.debtCovered, candidate.debt),
      grossProfitUsd8,
      costs,
      netProfitUsd8: grossProfitUsd8 - totalCostsUsd8(costs),
      nativePriceUsd8,
      call: {
        to: this.config.execution.chimera,
        data: callOf({ ...draft.liquidation, minProfit }, draft.deadline),
        gasLimit: min((result.gasUsed * 13n) / 10n + 50_000n, maxGasPerTransaction),
        maxFeePerGas: block.baseFeePerGas * BASE_FEE_TOLERANCE + maxPriorityFeePerGas,
        maxPriorityFeePerGas,
      },
    };
    if (bid !== undefined) return { kind: 'planned', plan };
    return {
      ...rejected('profit-below-floor', {
        netProfitUsd8: String(plan.netProfitUsd8),
        floorUsd8: String(this.config.planner.minProfitUsd8),
      }),
      attempt: plan,
    };
  }

  /** The transaction as it will be signed, but for its nonce and fees, whose bytes cost next to nothing. */
  private unsigned(draft: Draft): Hex {
    return Transaction.from({
      type: 2,
      chainId: this.config.network.chainId,
      to: this.config.execution.chimera,
      data: draft.data,
      nonce: 1_000_000,
      gasLimit: GAS_BEFORE_SIMULATION,
      maxFeePerGas: 10n ** 9n,
      maxPriorityFeePerGas: 10n ** 9n,
    }).unsignedSerialized as Hex;
  }
}

function callOf(liquidation: Liquidation, deadline: bigint): Hex {
  return liquidateCall(packPlan({ deadline }, liquidation));
}

/** Undefined when the answer is too short to be one. By flash swap what was seized and is not profit has gone to the pool. */
function simulationOf({ returnData, gasUsed }: SimulatedCall): Simulation | undefined {
  if (returnData.length < 2 + 64 * OUTCOME_WORDS) return undefined;
  const { debtCovered, collateralSeized, profit } = readOutcome(returnData);
  return { debtCovered, collateralSeized, swapInput: collateralSeized - profit, profit, gasUsed };
}

/** Why the contract, or something it called, said no. `alone`: nothing executed before it in the simulation. */
function refused(draft: Draft, revertData: Hex, alone: boolean): Rejection {
  const error = parseRevert(revertData);
  const detail = {
    revert: revertReason(revertData),
    quotedProfit: String(draft.quote.profit),
    minProfit: String(draft.liquidation.minProfit),
  };
  // The contract's errors for a swap that costs too much: the profit is below the floor, or the seized amount below the price.
  const tooDear =
    error.kind === 'known' && (error.name === 'ProfitBelowFloor' || error.name === 'CannotRepay');
  if (!tooDear) return rejected('simulation-reverted', detail);
  return rejected(alone ? 'profit-below-floor' : 'depends-on-earlier-plan', detail);
}
