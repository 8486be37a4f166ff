import { Injectable } from '@nestjs/common';
import { Transaction } from 'ethers';
import { ChimeraConfig } from '../config/index.js';
import { OUTCOME_WORDS, readOutcome } from '../contract/bindings.js';
import { parseRevert, revertReason } from '../contract/contract.js';
import { chainDescription } from '../domain/chain-description.js';
import { rejected, type PlanDecision, type Rejection } from '../domain/decision.js';
import type { Hex } from '../domain/hex.js';
import type { Opportunity } from '../domain/opportunity.js';
import type { Simulation } from '../domain/plan.js';
import { Venue } from '../liquidity/venue.js';
import { Chain } from '../rpc/chain/chain.js';
import { readAt } from '../rpc/chain/read.js';
import type { SimulatedCall } from '../rpc/chain/simulate.js';
import { ChainFees, type FeeEstimate } from '../rpc/fees/chain-fees.js';
import { draftOf, GAS_BEFORE_SIMULATION, type Draft } from './drafts.js';
import type { PlanningContext } from './planning-context.js';
import { pricePlan } from './pricing.js';
import { bestQuotes } from './quotes.js';

/**
 * Opportunities to plans. Everything is read at the block of the context: first quotes, then one simulation
 * of all calls in the order in which they will be sent, so that two plans that use the same pool are proved
 * together.
 */
@Injectable()
export class ExecutionPlanner {
  constructor(
    private readonly chain: Chain,
    private readonly venue: Venue,
    private readonly fees: ChainFees,
    private readonly config: ChimeraConfig,
  ) {}

  /** One decision per opportunity. The plans must be sent in their order, in which they were proved. */
  async plan(opportunities: readonly Opportunity[], context: PlanningContext): Promise<PlanDecision[]> {
    if (opportunities.length === 0) return [];
    const quotes = await bestQuotes(this.chain, this.venue, opportunities, context.block.hash);
    const decisions: PlanDecision[] = [];
    const drafts: Draft[] = [];
    for (const [index, opportunity] of opportunities.entries()) {
      const quoted = quotes[index] ?? rejected('no-route');
      const draft =
        quoted.kind === 'quoted'
          ? draftOf(opportunity, quoted.quote, context, this.config.planner.minProfitUsd8)
          : quoted;
      if ('kind' in draft) decisions.push({ ...draft, opportunity });
      else drafts.push(draft);
    }
    drafts.sort((a, b) => (a.quote.grossUsd8 < b.quote.grossUsd8 ? 1 : -1));
    return [...(await this.prove(drafts, context)), ...decisions];
  }

  /** Simulates the drafts on top of what is pending, and beside it asks for their fees: one round trip. */
  private async prove(drafts: readonly Draft[], context: PlanningContext): Promise<PlanDecision[]> {
    if (drafts.length === 0) return [];
    const from = context.operator;
    const to = this.config.execution.chimera;
    const pending = context.pending.map((call) => ({ from, to: call.to, data: call.data }));
    const estimates = this.fees.estimates(
      drafts.map(({ data }) => this.unsigned(data)),
      GAS_BEFORE_SIMULATION,
    );
    const [simulated, fees] = await Promise.all([
      this.chain.simulateV1(
        [...pending, ...drafts.map(({ data }) => ({ from, to, data }))],
        context.block.hash,
      ),
      readAt(this.chain, estimates, context.block.hash),
    ]);
    return drafts.map((draft, index) => {
      const result = simulated[pending.length + index];
      const estimate = fees[index];
      if (!result || !estimate) throw new Error('the simulation answered fewer calls than it was asked');
      const first = pending.length + index === 0;
      return this.decide(draft, result, estimate, context, first);
    });
  }

  /** @param first whether nothing executed before it in the simulation. */
  private decide(
    draft: Draft,
    result: SimulatedCall,
    feesOf: FeeEstimate,
    context: PlanningContext,
    first: boolean,
  ): PlanDecision {
    const { opportunity, quote } = draft;
    const proof = result.success ? simulationOf(result) : refusalOf(draft, result.returnData, first);
    if ('kind' in proof) return { ...proof, opportunity, attempt: quote.candidate };

    const { planner, execution, network } = this.config;
    const { maxGasPerTransaction } = chainDescription(network.chainId);
    const { minProfitUsd8, slippageBps, baseBribeBps, maxBribeBps } = planner;
    const { plan, pays } = pricePlan(draft, proof, feesOf(proof.gasUsed), context, {
      minProfitUsd8,
      slippageBps,
      baseBribeBps,
      maxBribeBps,
      maxGasPerTransaction,
      chimera: execution.chimera,
    });
    if (pays) return { kind: 'planned', plan };
    const detail = { netProfitUsd8: String(plan.netProfitUsd8), floorUsd8: String(minProfitUsd8) };
    return { ...rejected('profit-below-floor', detail), opportunity, attempt: plan };
  }

  /**
   * The transaction that carries this call, as long as the one that will be signed: nonce and fees have the
   * usual length.
   */
  private unsigned(data: Hex): Hex {
    return Transaction.from({
      type: 2,
      chainId: this.config.network.chainId,
      to: this.config.execution.chimera,
      data,
      nonce: 1_000_000,
      gasLimit: GAS_BEFORE_SIMULATION,
      maxFeePerGas: 10n ** 9n,
      maxPriorityFeePerGas: 10n ** 9n,
    }).unsignedSerialized as Hex;
  }
}

/** What the contract returned. With flash swaps, the pools get all that was seized and is not profit. */
function simulationOf({ returnData, gasUsed }: SimulatedCall): Simulation | Rejection {
  if (returnData.length < 2 + 64 * OUTCOME_WORDS)
    return rejected('simulation-reverted', { revert: 'the node left the outcome out' });
  const { debtCovered, collateralSeized, profit } = readOutcome(returnData);
  return { debtCovered, collateralSeized, swapInput: collateralSeized - profit, profit, gasUsed };
}

/** Why the contract, or a contract that it called, reverted. */
function refusalOf({ quote, liquidation }: Draft, revertData: Hex, first: boolean): Rejection {
  const error = parseRevert(revertData);
  const detail = {
    revert: revertReason(revertData),
    quotedProfit: String(quote.profit),
    minProfit: String(liquidation.minProfit),
  };
  // A swap that costs too much leaves less profit than the floor, or takes more than was seized.
  const costsTooMuch =
    error.kind === 'known' && (error.name === 'ProfitBelowFloor' || error.name === 'CannotRepay');
  if (!costsTooMuch) return rejected('simulation-reverted', detail);
  return rejected(first ? 'profit-below-floor' : 'depends-on-earlier-plan', detail);
}
