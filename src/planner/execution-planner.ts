import { Injectable } from '@nestjs/common';
import { Transaction } from 'ethers';
import { ChimeraConfig } from '../config/index.js';
import { parseRevert, revertReason } from '../contract/contract.js';
import { chainDescription } from '../domain/chain-description.js';
import { rejected, type PlanDecision, type Rejection } from '../domain/decision.js';
import { RetryError } from '../domain/errors.js';
import { Events } from '../domain/events/events.js';
import type { Hex } from '../domain/hex.js';
import { max } from '../domain/money.js';
import type { Opportunity } from '../domain/opportunity.js';
import { latestRoundRead, type Round } from '../oracles/chainlink.js';
import { Chain } from '../rpc/chain/chain.js';
import { together } from '../rpc/chain/read.js';
import type { Testimony, TestimonyRequest } from '../rpc/chain/testimony.js';
import { ChainFees, type FeeEstimate } from '../rpc/fees/chain-fees.js';
import { agreedPrice, proofOf, type Reverts, type Witness } from './agreement.js';
import { allocate } from './allocation.js';
import { draftOf, feesOfDraft, GAS_BEFORE_SIMULATION, type Draft } from './drafts.js';
import type { PlanningContext } from './planning-context.js';
import { priceDraft, type PricedDraft, type PricingPolicy } from './pricing.js';
import { GAS_OF_DRAFT, roomFor } from './proof-chunks.js';
import { bestQuotes } from './quotes.js';

/** What is read beside the simulation: the fees of each draft, and the price of the native token. */
type DraftValues = [readonly FeeEstimate[], Round | undefined];
type DraftTestimony = Testimony<DraftValues>;

/** For all endpoints, which are asked at once. A plan is meant for one of the next blocks. */
const PROOF_DEADLINE_MS = 1_000;

/**
 * Opportunities to plans. The best amounts and routes are computed from the pools at the block of the
 * context. One simulation at that block proves all calls in the order in which they will be sent, so that
 * two plans that use the same pool are proved together.
 */
@Injectable()
export class ExecutionPlanner {
  constructor(
    private readonly chain: Chain,
    private readonly fees: ChainFees,
    private readonly events: Events,
    private readonly config: ChimeraConfig,
  ) {}

  /**
   * One decision per opportunity, in lists. The plans of a list were proved together, in their order, on top
   * of what was pending then: they must be sent in this order. The next list is proved while the one before
   * it is being sent.
   *
   * @param now asked again for each list: the plans of the lists before it are pending then.
   * @throws RetryError when no endpoint could be asked. The lists before it stay true.
   */
  async *plan(
    opportunities: readonly Opportunity[],
    now: () => PlanningContext,
  ): AsyncGenerator<readonly PlanDecision[], void, undefined> {
    if (opportunities.length === 0) return;
    const { drafts, decisions } = this.draft(opportunities, now());
    let left = drafts;
    while (left.length > 0) {
      const context = now();
      const room = roomFor(context.pending);
      if (room === 0) break;
      const chunk = left.slice(0, room);
      left = left.slice(room);
      yield await this.prove(chunk, context);
    }
    const rest = [...left.map(later), ...decisions];
    if (rest.length > 0) yield rest;
  }

  private draft(
    opportunities: readonly Opportunity[],
    context: PlanningContext,
  ): { readonly drafts: readonly Draft[]; readonly decisions: readonly PlanDecision[] } {
    const quotes = bestQuotes(context, opportunities);
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
    context.trace?.mark('plan');
    drafts.sort((a, b) => (a.quote.grossUsd8 < b.quote.grossUsd8 ? 1 : -1));
    return { drafts, decisions };
  }

  /**
   * Simulates the drafts on top of what is pending, and beside it reads their fees, the price of the native
   * token and the header: one round trip. With a second endpoint both are asked at the same time.
   */
  private async prove(drafts: readonly Draft[], context: PlanningContext): Promise<PlanDecision[]> {
    const refuse = (rejection: Rejection): PlanDecision[] =>
      drafts.map(({ opportunity }) => ({ ...rejection, opportunity }));
    const heard = await this.hear(drafts, context);
    context.trace?.mark('prove');
    if (heard.kind === 'rejected') return refuse(heard);
    const { witnesses } = heard;
    const feedPriceUsd8 = agreedPrice(witnesses, context);
    if (typeof feedPriceUsd8 !== 'bigint') return refuse(feedPriceUsd8);
    // Feed and markets may differ by a few per cent: fees and bid are within what each of them allows.
    const nativePriceUsd8 = context.marketNativePricesUsd8.reduce(max, feedPriceUsd8);
    const agreed = { ...context, nativePriceUsd8 };
    const policy = this.policy();
    const priced = drafts.map((draft, index): PlanDecision | PricedDraft => {
      const proof = proofOf(witnesses, index);
      if (proof.kind === 'proved') return priceDraft(draft, proof, agreed, policy);
      const first = context.pending.length + index === 0;
      const refusal = proof.kind === 'reverts' ? refusalOf(draft, proof, first) : proof;
      if (refusal.reason === 'simulation-reverted') doubtLender(draft, context);
      return { ...refusal, opportunity: draft.opportunity, attempt: draft.quote.candidate };
    });
    return allocate(priced, agreed, policy);
  }

  /**
   * What the endpoints say of the drafts. One endpoint is enough where one is configured, or in a dry run.
   *
   * @returns a rejection of all drafts when a second endpoint is configured and fewer than two answered.
   * @throws RetryError when none could be asked.
   */
  private async hear(
    drafts: readonly Draft[],
    context: PlanningContext,
  ): Promise<{ readonly kind: 'heard'; readonly witnesses: readonly Witness[] } | Rejection> {
    const request = this.request(drafts, context);
    const witness = (name: string, { block, simulated, values }: DraftTestimony): Witness => ({
      name,
      block,
      nativePriceUsd8: values[1]?.answer,
      simulated: (simulated[0] ?? []).slice(context.pending.length),
      fees: values[0],
    });
    const { rpc, execution } = this.config;
    if (!rpc.secondOpinion)
      return { kind: 'heard', witnesses: [witness('endpoint', await this.chain.testimony(request))] };
    const answers = await this.chain.testimonies(request, { deadlineMs: PROOF_DEADLINE_MS });
    const witnesses = answers.flatMap(({ role, value }) => (value ? [witness(role, value)] : []));
    const message =
      answers.flatMap(({ error }) => (error ? [error.message] : [])).join('; ') ||
      'only one endpoint may be used now';
    if (witnesses.length >= 2) return { kind: 'heard', witnesses };
    if (witnesses.length === 0) throw new RetryError(message);
    if (execution.mode === 'live') return rejected('second-endpoint-unavailable', { message });
    this.events.emit({ event: 'second-opinion-unavailable', block: context.block.number, message });
    return { kind: 'heard', witnesses };
  }

  private request(drafts: readonly Draft[], context: PlanningContext): TestimonyRequest<DraftValues> {
    const { operator: from, pending, block } = context;
    const to = this.config.execution.chimera;
    const estimates = this.fees.estimates(
      drafts.map(({ data }) => this.unsigned(data)),
      GAS_BEFORE_SIMULATION,
    );
    const before = pending.map((call) => ({ from, to: call.to, data: call.data, gas: call.gasLimit }));
    const offered = drafts.map((draft) => {
      const fees = feesOfDraft(draft, context);
      return { from, to, data: draft.data, gas: GAS_OF_DRAFT, fees };
    });
    return {
      simulations: [[...before, ...offered]],
      stateOverrides: { [from]: { balance: BALANCE_IN_SIMULATION } },
      read: together(estimates, latestRoundRead(this.config.oracles.nativeUsdFeed)),
      block: block.hash,
    };
  }

  private policy(): PricingPolicy {
    const { planner, execution, network } = this.config;
    const { maxGasPerTransaction } = chainDescription(network.chainId);
    const { minProfitUsd8, slippageBps } = planner;
    return { minProfitUsd8, slippageBps, maxGasPerTransaction, chimera: execution.chimera };
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

/**
 * A node refuses the whole question when the sender cannot pay for the gas that one of its calls may burn.
 * What the wallet can really pay is the business of the budget. Wei.
 */
const BALANCE_IN_SIMULATION = 10n ** 24n;

/** An overflow or underflow, as Solidity reports it. */
const UNDERFLOW = 'Panic(17)';

/** Not refused for good: it was not simulated. */
function later({ opportunity }: Pick<Draft, 'opportunity'>): PlanDecision {
  return { ...rejected('comes-later'), opportunity };
}

/** The lender of a plan that reverted may be the cause. */
function doubtLender({ opportunity, quote }: Draft, { lenders }: Pick<PlanningContext, 'lenders'>): void {
  const { funding, candidate } = quote;
  if (funding.kind === 'loan') lenders.doubt(funding, opportunity.borrower, candidate.debt.address);
}

/** Why the contract, or a contract that it called, reverted. @param first nothing executes before it. */
function refusalOf({ quote, liquidation }: Draft, { data, gasUsed }: Reverts, first: boolean): Rejection {
  const error = parseRevert(data);
  const burntAll = data === '0x' && gasUsed >= GAS_OF_DRAFT;
  const detail = {
    revert: burntAll ? `out of gas: it needs more than ${GAS_OF_DRAFT}` : revertReason(data),
    quotedProfit: String(quote.profit),
    minProfit: String(liquidation.minProfit),
  };
  // What is in flight may seize what the market can pay out: there a subtraction underflows.
  if (detail.revert === UNDERFLOW && !first) return rejected('depends-on-earlier-plan', detail);
  // A swap that costs too much leaves less profit than the floor, or takes more than was seized.
  const costsTooMuch =
    error.kind === 'known' && (error.name === 'ProfitBelowFloor' || error.name === 'CannotRepay');
  if (!costsTooMuch) return rejected('simulation-reverted', detail);
  return rejected(first ? 'profit-below-floor' : 'depends-on-earlier-plan', detail);
}
