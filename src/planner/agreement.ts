import {
  OUTCOME_WORDS,
  readLiquidationFailed,
  readOutcome,
  TOPICS,
  type Outcome,
} from '../contract/bindings.js';
import { revertReason } from '../contract/contract.js';
import type { Block } from '../domain/block.js';
import type { EstimatedFees } from '../domain/costs.js';
import { rejected, type Rejection } from '../domain/decision.js';
import { MOST_128_BITS, type Hex } from '../domain/hex.js';
import { BPS, max, min } from '../domain/money.js';
import type { Simulation } from '../domain/plan.js';
import type { SimulatedCall } from '../rpc/chain/simulate.js';
import type { FeeEstimate } from '../rpc/fees/chain-fees.js';

/** What one endpoint says of all drafts of a pass. */
export interface Witness {
  /** The role of the endpoint. */
  readonly name: string;
  readonly block: Pick<Block, 'number' | 'timestamp' | 'baseFeePerGas'>;
  /** USD with 8 decimals for one native token; undefined when its feed gives no price. */
  readonly nativePriceUsd8: bigint | undefined;
  /** One for each draft. */
  readonly simulated: readonly SimulatedCall[];
  /** Undefined for one that has to be read again. */
  readonly fees: readonly (FeeEstimate | undefined)[];
}

/** What is read of the contract's answer. What the pools got follows from it and the form of the plan. */
export type ProvedOutcome = Omit<Simulation, 'swapInput' | 'swapOutput'>;

/** What all witnesses confirm of one draft: of each number the less favourable one. */
export interface Proved {
  readonly kind: 'proved';
  /** Of the first liquidation, with the gas of the whole transaction. */
  readonly simulation: ProvedOutcome;
  /** Of those after it, each with its own gas. */
  readonly further?: readonly ProvedOutcome[];
  /** Of each liquidation by itself; absent where it is the only one. */
  readonly gasOfSteps?: readonly bigint[];
  readonly feesOf: FeeEstimate;
}

export interface Reverts {
  readonly kind: 'reverts';
  readonly data: Hex;
  readonly gasUsed: bigint;
}

/** It has to be proved again. */
export interface LacksFees {
  readonly kind: 'lacks-fees';
}

export type Proof = Proved | Reverts | LacksFees | Rejection;

/**
 * Two nodes simulate the next block with a timestamp of their own, so that some seconds of interest lie
 * between their results: far less than this.
 */
const OUTCOME_TOLERANCE_BPS = 10n;
/** Nodes count refunds and the cost of the calldata in slightly different ways. */
const GAS_TOLERANCE_BPS = 500n;
/** The fees are read from the state of one block, so they are equal but for rounding. */
const FEE_TOLERANCE_BPS = 100n;
/** A list of outcomes, as Solidity encodes it, begins with where it stands and how many it has. */
const BATCH_HEAD_WORDS = 2;
/** Our own price of the native token comes from logs of this very block, or from a read at it. */
const PRICE_TOLERANCE_BPS = 100n;

/**
 * Whether the witnesses agree on what all drafts stand on: the header of the block and the price of the
 * native token, among themselves and with our own picture of both.
 *
 * Two endpoints must say the same price, because both read it at one block. When both say that the feed gives
 * none, the last price that both have said counts.
 *
 * @returns the price to value fees with: the highest, so that no fee is valued too low, and no bid in USD
 * becomes too many wei.
 */
export function agreedPrice(
  witnesses: readonly Witness[],
  own: {
    readonly block: Witness['block'];
    readonly nativePriceUsd8: bigint;
    readonly nativePriceConfirmed?: boolean;
  },
): bigint | Rejection {
  for (const { name, block } of witnesses)
    for (const field of ['number', 'timestamp', 'baseFeePerGas'] as const)
      if (block[field] !== own.block[field])
        return differ(field, { ours: String(own.block[field]), [name]: String(block[field]) });
  const prices = witnesses.flatMap(({ nativePriceUsd8 }) => nativePriceUsd8 ?? []);
  if (prices.length === 0)
    return own.nativePriceConfirmed ? own.nativePriceUsd8 : rejected('price-missing', { asset: 'native' });
  if (
    prices.length < witnesses.length ||
    prices.some((price) => price !== prices[0]) ||
    !within([...prices, own.nativePriceUsd8], PRICE_TOLERANCE_BPS)
  )
    return differ('nativePriceUsd8', {
      ours: String(own.nativePriceUsd8),
      ...said(witnesses, ({ nativePriceUsd8 }) =>
        nativePriceUsd8 === undefined ? 'none' : String(nativePriceUsd8),
      ),
    });
  return [...prices, own.nativePriceUsd8].reduce(max);
}

/**
 * What the witnesses say of the draft of this index.
 *
 * @param steps liquidations of the draft. Of several all must succeed.
 * @returns a rejection when they do not agree, or when the node left the outcome out.
 */
export function proofOf(witnesses: readonly Witness[], index: number, steps = 1): Proof {
  const results = witnesses.map(({ simulated }) => resultOf(simulated, index));
  const reverted = results.filter(({ success }) => !success);
  const [first] = reverted;
  if (first && reverted.length === results.length)
    return { kind: 'reverts', data: first.returnData, gasUsed: first.gasUsed };
  if (first)
    return differ(
      'revert',
      said(witnesses, (_, at) => revertText(results[at])),
    );
  const words = steps === 1 ? OUTCOME_WORDS : BATCH_HEAD_WORDS + steps * OUTCOME_WORDS;
  if (results.some(({ returnData }) => returnData.length < 2 + 64 * words))
    return rejected('simulation-reverted', { revert: 'the node left the outcome out' });

  /** Of each step, what each witness says. */
  const outcomesOfSteps = Array.from({ length: steps }, (_, step) => {
    const first = steps === 1 ? 0 : BATCH_HEAD_WORDS + step * OUTCOME_WORDS;
    return results.map(({ returnData }) => readOutcome(returnData, first));
  });
  for (const [step, outcomes] of outcomesOfSteps.entries()) {
    const refusal = refusalOf(outcomes, witnesses);
    if (refusal) return refusal;
    if (steps > 1 && outcomes.some(({ debtCovered }) => debtCovered === 0n))
      return rejected('simulation-reverted', { revert: `liquidation ${step + 1} of ${steps} failed alone` });
  }
  const gas = results.map(({ gasUsed }) => gasUsed);
  if (!within(gas, GAS_TOLERANCE_BPS))
    return differ(
      'gasUsed',
      said(witnesses, (_, at) => String(gas[at])),
    );
  const gasUsed = gas.reduce(max);
  const estimates = witnesses.flatMap(({ fees: all }) => feesOf(all, index) ?? []);
  if (estimates.length < witnesses.length) return { kind: 'lacks-fees' };
  const fees = estimates.map((estimate) => estimate(gasUsed));
  for (const field of ['l1Fee', 'operatorFee'] as const)
    if (
      !within(
        fees.map((fee) => fee[field]),
        FEE_TOLERANCE_BPS,
      )
    )
      return differ(
        field,
        said(witnesses, (_, at) => String(fees[at]?.[field])),
      );
  const gasOfSteps = outcomesOfSteps.map((outcomes) => outcomes.map((one) => one.gasUsed).reduce(max));
  const [simulation, ...further] = outcomesOfSteps.map((outcomes, step) =>
    leastFavourable(outcomes, step === 0 ? gasUsed : (gasOfSteps[step] ?? 0n)),
  );
  if (!simulation) throw new Error('a draft has at least one liquidation');
  return {
    kind: 'proved',
    simulation,
    ...(steps > 1 && { further, gasOfSteps }),
    feesOf: (gas) => highest(estimates.map((estimate) => estimate(gas))),
  };
}

/** The draft was carried out, and did not succeed, or not as a whole. */
export function hasFailed(proof: Proof): boolean {
  return proof.kind === 'reverts' || (proof.kind === 'rejected' && proof.reason === 'simulation-reverted');
}

/** One of several liquidations failed without a word, as one does that runs out of gas. */
export function ranOutAlone(witnesses: readonly Witness[], index: number): boolean {
  return witnesses.some(({ simulated }) =>
    simulated[index]?.logs.some(
      ({ topics, data }) =>
        topics[0] === TOPICS.LiquidationFailed && readLiquidationFailed(topics, data).reason === '0x',
    ),
  );
}

/** Why the outcomes of one liquidation cannot be believed. */
function refusalOf(outcomes: readonly Outcome[], witnesses: readonly Witness[]): Rejection | undefined {
  if (
    outcomes.some(
      ({ debtCovered, collateralSeized, flashFee, profit }) =>
        [debtCovered, collateralSeized, flashFee, profit].reduce(max) > MOST_128_BITS,
    )
  )
    return rejected('simulation-reverted', { revert: 'the node gave an outcome out of its range' });
  for (const field of ['debtCovered', 'collateralSeized', 'flashFee', 'profit'] as const) {
    const values = outcomes.map((outcome) => outcome[field]);
    if (!within(values, OUTCOME_TOLERANCE_BPS))
      return differ(
        field,
        said(witnesses, (_, at) => String(values[at])),
      );
  }
  return undefined;
}

function leastFavourable(outcomes: readonly Outcome[], gasUsed: bigint): ProvedOutcome {
  const of = (field: keyof Outcome): bigint[] => outcomes.map((outcome) => outcome[field]);
  return {
    debtCovered: of('debtCovered').reduce(max),
    collateralSeized: of('collateralSeized').reduce(min),
    flashFee: of('flashFee').reduce(max),
    profit: of('profit').reduce(min),
    gasUsed,
  };
}

/** Whether the largest of the values is above the smallest by this share of it at most. */
function within(values: readonly bigint[], toleranceBps: bigint): boolean {
  const [least, most] = [values.reduce(min), values.reduce(max)];
  return (most - least) * BPS <= most * toleranceBps;
}

function differ(what: string, values: Record<string, string>): Rejection {
  return rejected('endpoints-disagree', { about: what, ...values });
}

/** By the name of each witness. */
function said(
  witnesses: readonly Witness[],
  value: (witness: Witness, index: number) => string,
): Record<string, string> {
  return Object.fromEntries(witnesses.map((witness, index) => [witness.name, value(witness, index)]));
}

function revertText(result: SimulatedCall | undefined): string {
  return result?.success === true ? 'succeeds' : revertReason(result?.returnData ?? '0x');
}

function resultOf(simulated: readonly SimulatedCall[], index: number): SimulatedCall {
  const result = simulated[index];
  if (!result) throw new Error('the simulation answered fewer calls than it was asked');
  return result;
}

function highest(fees: readonly EstimatedFees[]): EstimatedFees {
  const l1Gas = fees.map((fee) => fee.l1Gas ?? 0n).reduce(max);
  return {
    ...(l1Gas > 0n && { l1Gas }),
    l1Fee: fees.map(({ l1Fee }) => l1Fee).reduce(max),
    operatorFee: fees.map(({ operatorFee }) => operatorFee).reduce(max),
  };
}

function feesOf(fees: Witness['fees'], index: number): FeeEstimate | undefined {
  if (index >= fees.length) throw new Error('fewer fees were answered than were asked for');
  return fees[index];
}
