import type { ChimeraConfig } from '../config/index.js';
import { chainDescription } from '../domain/chain-description.js';
import { rejected, type PlanDecision, type Rejection } from '../domain/decision.js';
import { RetryError } from '../domain/errors.js';
import type { Events } from '../domain/events/events.js';
import type { Hex } from '../domain/hex.js';
import { BPS, max } from '../domain/money.js';
import type { TransactionCall } from '../domain/plan.js';
import { latestRoundRead, type Round } from '../oracles/chainlink.js';
import type { Chain } from '../rpc/chain/chain.js';
import { together } from '../rpc/chain/read.js';
import { BALANCE_IN_SIMULATION } from '../rpc/chain/simulate.js';
import type { Testimony, TestimonyRequest } from '../rpc/chain/testimony.js';
import { TransactionBytes } from '../rpc/chain/transaction-bytes.js';
import type { ChainFees, FeeEstimate } from '../rpc/fees/chain-fees.js';
import { MethodMissing, RpcAnswerError, RpcError } from '../rpc/rpc-errors.js';
import { agreedPrice, hasFailed, proofOf, ranOutAlone, type Proof, type Witness } from './agreement.js';
import type { DraftQueue } from './draft-queue.js';
import { GAS_BEFORE_SIMULATION, type Draft } from './drafts.js';
import {
  burntBy,
  FeesSeen,
  gasLimitOfDraft,
  offer,
  type Expected,
  type OfferedCall,
} from './offered-call.js';
import type { PlanningContext } from './planning-context.js';
import { priceDraft, type PricedDraft, type PricingPolicy } from './pricing.js';
import { ProofGas } from './proof-gas.js';
import { doubtLender, gasOf, later, measuredBelowFloor, refusalOf } from './proof-refusals.js';
import { QuestionGas } from './question-gas.js';
import { MOST_REMADE, whatStands, type MeasuredCall, type Proved } from './standing-calls.js';

/** What is read beside the simulation: the fees of each draft, and the price of the native token. */
type DraftValues = [readonly (FeeEstimate | undefined)[], Round | undefined];
type DraftTestimony = Testimony<DraftValues>;

/** So many drafts are proved in one question. */
export const LONGEST_LIST = 60;
/** Where the block does not say how much gas it has. */
const MOST_GAS = 2n ** 64n;

/** For all endpoints, which are asked at once. A plan is meant for one of the next blocks. */
const PROOF_DEADLINE_MS = 1_000;

/** Drafts that are proved together. */
export interface Chunk {
  /** With what is expected of each. */
  readonly drafts: ReadonlyMap<Draft, Expected>;
  /** All gas of the question: of what is pending too. The most there is, where more drafts found no room. */
  readonly asked: bigint;
  /** How many more the block and the places in flight have room for. */
  readonly room: number;
}

/** Proves drafts by a simulation, as the very transactions that will be signed. */
export class Prover {
  private readonly gas = new ProofGas();
  private readonly feesSeen = new FeesSeen();
  private readonly question = new QuestionGas();

  constructor(
    private readonly chain: Chain,
    private readonly fees: ChainFees,
    private readonly events: Events,
    private readonly config: ChimeraConfig,
  ) {}

  /**
   * The next drafts that may be proved together: as many as find a place in flight, in the block and in one
   * question.
   *
   * @returns why there are none.
   */
  take(queue: DraftQueue, context: PlanningContext, most: number): Chunk | Rejection {
    const { slots } = context.allowance;
    if (slots <= 0) return rejected('in-flight-limit');
    const pendingGas = gasOf(context.pending);
    const mostAsked = this.question.most;
    let question = mostAsked - pendingGas;
    let block = this.gasLeft(context);
    const drafts = new Map<Draft, Expected>();
    const limits = { question: false };
    queue.take((draft) => {
      const expected = this.expected(draft);
      const gas = gasLimitOfDraft(draft, expected, this.policy.maxGasPerTransaction);
      const isFirst = drafts.size === 0 && pendingGas === 0n;
      if (drafts.size >= Math.min(most, slots) || (block < gas && !isFirst)) return false;
      limits.question = question < gas && !isFirst;
      if (limits.question) return false;
      drafts.set(draft, expected);
      [question, block] = [question - gas, block - gas];
      return true;
    });
    if (drafts.size === 0) return later();
    const asked = limits.question ? mostAsked : mostAsked - question;
    const gasOfOne = (mostAsked - pendingGas - question) / BigInt(drafts.size);
    const places = Number(max(block, 0n) / max(gasOfOne, 1n));
    return { drafts, asked, room: Math.min(LONGEST_LIST, slots - drafts.size, places) };
  }

  private expected(draft: Draft): Expected {
    const limits = this.gas.limits(draft, this.policy.maxGasPerTransaction);
    return {
      gas: this.gas.expected(draft),
      limits,
      feesOf: this.feesSeen.expected(draft.liquidations.length),
    };
  }

  /** The gas limits of one block, all together, are below a share of it. What is pending may land in it. */
  gasLeft({ block, pending }: PlanningContext): bigint {
    const { maxBlockGasShareBps } = this.config.planner;
    if (block.gasLimit === undefined) return MOST_GAS;
    return (block.gasLimit * BigInt(maxBlockGasShareBps)) / BPS - gasOf(pending);
  }

  /**
   * Simulates the calls of the drafts on top of what is pending, and beside it reads their fees, the price of
   * the native token and the header: one round trip. With a second endpoint both are asked at the same time.
   * What is simulated is what is signed, to the byte.
   *
   * @returns as `again` what has to be proved again: with another call, in a smaller question, or with its
   *   fee.
   */
  async prove(chunk: Chunk, now: PlanningContext): Promise<Proved> {
    const context = { ...now, nativePriceUsd8: highestPrice(now.nativePriceUsd8, now) };
    const offered = offer(chunk.drafts, context, this.policy);
    const drafts = offered.map(({ draft }) => draft);
    const refuse = (rejection: Rejection): Proved => ({
      decisions: drafts.map(({ opportunity }) => ({ ...rejection, opportunity })),
      again: [],
      calls: new Map(),
    });
    const heard = await this.hear(offered, chunk.asked, context);
    context.trace?.mark('prove');
    if (heard === 'too-large') return { decisions: [], again: drafts, calls: new Map() };
    if (heard.kind === 'rejected') return refuse(heard);
    const { witnesses } = heard;
    const feedPriceUsd8 = agreedPrice(witnesses, now);
    if (typeof feedPriceUsd8 !== 'bigint') return refuse(feedPriceUsd8);
    // Feed and markets may differ by a few per cent: fees and bid are within what each of them allows.
    const agreed = { ...context, nativePriceUsd8: highestPrice(feedPriceUsd8, now) };
    const again: Draft[] = [];
    const measured = new Map<PlanDecision | PricedDraft, MeasuredCall>();
    const priced = offered.flatMap((one, index): (PlanDecision | PricedDraft)[] => {
      const { draft } = one;
      const proof = proofOf(witnesses, index, draft.liquidations.length);
      if (proof.kind !== 'proved') {
        const first = context.pending.length + index === 0;
        const other = this.failed(one, proof, { first, silent: ranOutAlone(witnesses, index) });
        if (!('kind' in other)) again.push(other);
        else if (other.reason === 'simulation-reverted') doubtLender(draft, context);
        return 'kind' in other
          ? [{ ...other, opportunity: draft.opportunity, attempt: draft.quote.candidate }]
          : [];
      }
      this.gas.succeeded(draft, burntBy(proof));
      this.feesSeen.note(draft.liquidations.length, proof.simulation.gasUsed, proof.feesOf);
      const ideal = priceDraft(draft, proof, agreed, this.policy);
      measured.set(ideal, [one, proof]);
      return [ideal];
    });
    const standing = whatStands(priced, measured, { ...agreed, gasLeft: this.gasLeft(now) }, this.policy);
    return { ...standing, again: [...again, ...standing.again] };
  }

  /**
   * Looks again, at a later block, at calls that were proved and stand on the same state as then. Nothing
   * is asked.
   *
   * @returns a plan of that block for each call that may be signed as it is.
   */
  look(calls: readonly MeasuredCall[], now: PlanningContext): Proved {
    const context = { ...now, nativePriceUsd8: highestPrice(now.nativePriceUsd8, now) };
    const measured = new Map<PlanDecision | PricedDraft, MeasuredCall>(
      calls.map((call) => [priceDraft(call[0].draft, call[1], context, this.policy), call]),
    );
    const priced = [...measured.keys()];
    return whatStands(priced, measured, { ...context, gasLeft: this.gasLeft(now) }, this.policy);
  }

  /** What comes of a draft whose call did not succeed: another draft to prove, or why there is none. */
  private failed(
    offered: OfferedCall,
    proof: Exclude<Proof, { kind: 'proved' }>,
    { first, silent }: { readonly first: boolean; readonly silent: boolean },
  ): Draft | Rejection {
    const { draft, limits } = offered;
    const { alone, remade = 0 } = draft;
    const gas = limits.total;
    if (proof.kind === 'lacks-fees') return draft;
    const gasUsed = proof.kind === 'reverts' ? proof.gasUsed : 0n;
    const isSilent = silent || (proof.kind === 'reverts' && proof.data === '0x');
    if (hasFailed(proof) && this.gas.mayHaveRunOut(draft, gas, gasUsed, isSilent)) return draft;
    if (alone && hasFailed(proof)) return alone;
    if (proof.kind !== 'reverts') return proof;
    const measured = remade < MOST_REMADE ? measuredBelowFloor(offered, proof) : undefined;
    if (measured) return { ...draft, measured, remade: remade + 1 };
    return refusalOf(draft, proof, gas, first);
  }

  /**
   * What the endpoints say of the drafts. One endpoint is enough where one is configured, or in a dry run.
   *
   * @returns a rejection of all drafts when a second endpoint is configured and fewer than two answered;
   *   `too-large` when one may answer a smaller question.
   * @throws RetryError when none could be asked.
   */
  private async hear(
    offered: readonly OfferedCall[],
    asked: bigint,
    context: PlanningContext,
  ): Promise<{ readonly kind: 'heard'; readonly witnesses: readonly Witness[] } | Rejection | 'too-large'> {
    const request = this.request(offered, context);
    const witness = (name: string, { block, simulated, values }: DraftTestimony): Witness => ({
      name,
      block,
      nativePriceUsd8: values[1]?.answer,
      simulated: (simulated[0] ?? []).slice(context.pending.length),
      fees: values[0],
    });
    const { rpc, execution } = this.config;
    const mayBeSmaller = offered.length > 1;
    if (!rpc.secondOpinion) {
      try {
        const heard = witness('endpoint', await this.chain.testimony(request));
        this.question.answered(heard.name, asked);
        return { kind: 'heard', witnesses: [heard] };
      } catch (error) {
        if (!mayBeSmaller || !isTooLarge(error)) throw error;
        this.question.refused('endpoint', asked);
        return 'too-large';
      }
    }
    const answers = await this.chain.testimonies(request, { deadlineMs: PROOF_DEADLINE_MS });
    for (const { role, error } of answers) {
      if (!error) this.question.answered(role, asked);
      else if (mayBeSmaller && isTooLarge(error)) this.question.refused(role, asked);
    }
    if (mayBeSmaller && answers.some(({ error }) => isTooLarge(error))) return 'too-large';
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

  private request(
    offered: readonly OfferedCall[],
    { operator: from, pending, block, nextTimestamp }: PlanningContext,
  ): TestimonyRequest<DraftValues> {
    const calls = offered.map(({ plan: { call } }) => call);
    const estimates = this.fees.estimates(
      calls.map((call) => this.unsigned(call)),
      GAS_BEFORE_SIMULATION,
    );
    const before = pending.map(({ to, data, gasLimit }) => ({ from, to, data, gas: gasLimit }));
    const signed = calls.map(({ to, data, gasLimit, maxFeePerGas, maxPriorityFeePerGas }) => ({
      ...{ from, to, data, gas: gasLimit, fees: { maxFeePerGas, maxPriorityFeePerGas } },
    }));
    return {
      simulations: [[...before, ...signed]],
      stateOverrides: { [from]: { balance: BALANCE_IN_SIMULATION } },
      // Nodes refuse a time that is not later. What several blocks of a second share, is a second off here.
      timestamp: Math.max(nextTimestamp ?? 0, block.timestamp + 1),
      read: together(estimates, latestRoundRead(this.config.oracles.nativeUsdFeed)),
      block: block.hash,
    };
  }

  get policy(): PricingPolicy {
    const { planner, execution, network } = this.config;
    const { maxGasPerTransaction } = chainDescription(network.chainId);
    const { minProfitUsd8, slippageBps } = planner;
    return { minProfitUsd8, slippageBps, maxGasPerTransaction, chimera: execution.chimera };
  }

  /** The transaction that carries this call. Its nonce is as long as most are. */
  private unsigned(call: TransactionCall): Hex {
    const { unsigned } = new TransactionBytes(this.config.network.chainId, 1_000_000, call);
    return `0x${unsigned.toString('hex')}`;
  }
}

/** Of the feed and the markets: no fee is valued too low, and no bid in USD becomes too many wei. */
function highestPrice(
  feedPriceUsd8: bigint,
  { marketNativePricesUsd8 }: Pick<PlanningContext, 'marketNativePricesUsd8'>,
): bigint {
  return marketNativePricesUsd8.reduce(max, feedPriceUsd8);
}

/** The endpoint understood the question and refused it: by its gas, its size, or the time that it took. */
function isTooLarge(error: unknown): boolean {
  if (error instanceof MethodMissing) return false;
  return error instanceof RpcAnswerError || (error instanceof RpcError && error.kind === 'refused');
}
