import { allot } from '../domain/allotment.js';
import type { FeesBesideGas } from '../domain/costs.js';
import { BPS, max, mulDivCeil } from '../domain/money.js';
import type { LiquidationPlan } from '../domain/plan.js';
import type { FeeEstimate } from '../rpc/fees/chain-fees.js';
import type { ProvedOutcome } from './agreement.js';
import type { Draft, Measured } from './drafts.js';
import type { PlanningContext } from './planning-context.js';
import { fullFees, gasLimitOf, planOf, priceDraft, type PricingPolicy } from './pricing.js';
import { limitsOf, type BurntGas, type GasLimits } from './proof-gas.js';
import { stepsOf, type QuotedStep } from './quotes.js';

/**
 * A draft with the very transaction that is simulated. It is signed as it is, when the simulation bears out
 * what it was made of.
 */
export interface OfferedCall {
  readonly draft: Draft;
  readonly limits: GasLimits;
  /** As it is expected. Its call is what is simulated. */
  readonly plan: LiquidationPlan;
  /** The fees beside gas that it was made with. */
  readonly feesOf: FeeEstimate;
  /** Its fees were granted. Otherwise the simulation only tells what it needs. */
  readonly isGranted: boolean;
}

/** What is expected of a draft before its simulation. */
export interface Expected {
  readonly gas: BurntGas;
  readonly limits: GasLimits;
  readonly feesOf: FeeEstimate;
}

const NO_FEES: FeesBesideGas = { l1Fee: 0n, operatorFee: 0n };

type Context = Pick<PlanningContext, 'block' | 'nativePriceUsd8' | 'bidOf' | 'allowance'>;

/**
 * The calls of drafts that are simulated together. Their fees are divided among them as those of plans are.
 * What was measured of a draft counts, or else what is expected of it.
 */
export function offer(
  drafts: ReadonlyMap<Draft, Expected>,
  context: Context,
  policy: PricingPolicy,
): readonly OfferedCall[] {
  const { nativePriceUsd8, allowance } = context;
  const priced = [...drafts].map(([draft, expected]) => {
    if (draft.measured) return priceDraft(draft, draft.measured, context, policy);
    return priceDraft(draft, quoted(draft, expected), context, policy, expected.limits);
  });
  const allotted = allot(
    priced.map(({ need }) => need),
    nativePriceUsd8,
    allowance,
  );
  const expectedFees = [...drafts].map(([{ measured }, expected]) => (measured ?? expected).feesOf);
  return priced.map((one, index): OfferedCall => {
    const feesOf = expectedFees[index] ?? (() => NO_FEES);
    const allotment = allotted[index];
    const granted = allotment?.kind === 'allotted' ? allotment : undefined;
    const plan = planOf(one, granted ?? fullFees(one.need, nativePriceUsd8), context, policy);
    return { draft: one.draft, limits: one.limits, plan, feesOf, isGranted: granted !== undefined };
  });
}

/** The gas limit that a draft will be offered with. */
export function gasLimitOfDraft({ measured }: Draft, { limits, feesOf }: Expected, most: bigint): bigint {
  return measured
    ? gasLimitOf(limitsOf(burntBy(measured), most), measured.feesOf)
    : gasLimitOf(limits, feesOf);
}

export function burntBy({ simulation, gasOfSteps = [] }: Measured): BurntGas {
  return { total: simulation.gasUsed, ofSteps: gasOfSteps };
}

/** The outcomes that the quote promises. */
function quoted({ quote }: Draft, { gas, feesOf }: Expected): Measured {
  const [first, ...further] = stepsOf(quote).map((step, index) =>
    outcomeOf(step, index === 0 ? gas.total : (gas.ofSteps[index] ?? 0n)),
  );
  if (!first) throw new Error('a draft has at least one liquidation');
  return {
    simulation: first,
    ...(further.length > 0 && { further, gasOfSteps: gas.ofSteps }),
    feesOf,
  };
}

function outcomeOf({ candidate, funding, profit }: QuotedStep, gasUsed: bigint): ProvedOutcome {
  const { debtToCover: debtCovered, collateralSeized, debtToFund } = candidate;
  const flashFee = funding.kind === 'loan' ? mulDivCeil(debtToFund, funding.feeBps, BPS) : 0n;
  return { debtCovered, collateralSeized, flashFee, profit, gasUsed };
}

/** What transactions paid beside their gas, by the last ones: expected of the next ones. */
export class FeesSeen {
  private l1FeeOfLiquidation = 0n;
  private operatorFeePerGas = 0n;
  /** Where data on L1 is paid in gas. */
  private l1GasOfLiquidation = 0n;

  /** @param liquidations in the transaction: its data is about as long as they are many. */
  note(liquidations: number, gasUsed: bigint, feesOf: FeeEstimate): void {
    const { l1Fee, operatorFee, l1Gas = 0n } = feesOf(gasUsed);
    this.l1FeeOfLiquidation = mulDivCeil(l1Fee, 1n, BigInt(liquidations));
    this.l1GasOfLiquidation = mulDivCeil(l1Gas, 1n, BigInt(liquidations));
    this.operatorFeePerGas = mulDivCeil(operatorFee, 1n, max(gasUsed, 1n));
  }

  /** A quarter more: texts of one length are not packed equally well. 0 as long as nothing is known. */
  expected(liquidations: number): FeeEstimate {
    const more = (one: bigint): bigint => mulDivCeil(one * BigInt(liquidations), 5n, 4n);
    const [l1Fee, l1Gas] = [more(this.l1FeeOfLiquidation), more(this.l1GasOfLiquidation)];
    return (gas) => ({ l1Fee, operatorFee: this.operatorFeePerGas * gas, ...(l1Gas > 0n && { l1Gas }) });
  }
}
