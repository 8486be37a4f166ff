import { doFeesLast } from '../domain/allotment.js';
import { after, refusalOf } from '../domain/budget.js';
import { totalCostsUsd8 } from '../domain/costs.js';
import { rejected, type PlanDecision } from '../domain/decision.js';
import type { Hex } from '../domain/hex.js';
import { BPS, min, valueUsd8 } from '../domain/money.js';
import type { LiquidationPlan, PlannedStep } from '../domain/plan.js';
import { reservationOf } from '../domain/spend.js';
import { allocate } from './allocation.js';
import type { Draft, Measured } from './drafts.js';
import { burntBy, type OfferedCall } from './offered-call.js';
import type { PlanningContext } from './planning-context.js';
import { planOf, priceDraft, type PricedDraft, type PricingPolicy } from './pricing.js';
import { areEnough } from './proof-gas.js';
import { beyondBlock } from './proof-refusals.js';

/** A bid may be so much higher than what the simulated profit and gas would make it. */
const BID_TOLERANCE_BPS = 2_500n;
/** A gas limit of so many times what it should be is made anew. */
const FAR_TOO_HIGH = 2n;

/** How often a call is made anew after its simulation, before the position waits for the next block. */
export const MOST_REMADE = 2;

/** What came of drafts that were proved together. */
export interface Proved {
  readonly decisions: readonly PlanDecision[];
  readonly again: readonly Draft[];
  /** The call of each plan, and what was measured of it. */
  readonly calls: ReadonlyMap<LiquidationPlan, MeasuredCall>;
}

/** A call that succeeded, and what its simulation told. */
export type MeasuredCall = readonly [OfferedCall, Measured];

type Context = Pick<PlanningContext, 'block' | 'nativePriceUsd8' | 'bidOf' | 'allowance' | 'pending'>;

/**
 * What is made of drafts whose calls succeeded, in their order: the call stands, or another one has to be
 * proved.
 *
 * @param priced by what was measured, and decisions that were made before.
 * @param context.gasLeft of the block.
 */
export function whatStands(
  priced: readonly (PlanDecision | PricedDraft)[],
  measured: ReadonlyMap<PlanDecision | PricedDraft, MeasuredCall>,
  context: Context & { readonly gasLeft: bigint },
  policy: PricingPolicy,
): Proved {
  let { gasLeft, allowance } = context;
  const again: Draft[] = [];
  const calls = new Map<LiquidationPlan, MeasuredCall>();
  // Of a plan that is ideal only the numbers are compared: the call that was simulated is what is signed.
  const dataOf = (one: PricedDraft): Hex | undefined => measured.get(one)?.[0].plan.call.data;
  const decisions = allocate(priced, context, policy, dataOf).flatMap((ideal, index): PlanDecision[] => {
    const one = priced[index];
    const [offered, proof] = (one && measured.get(one)) ?? [];
    if (ideal.kind !== 'planned' || !offered || !proof) return [ideal];
    const { draft, plan } = offered;
    const { opportunity, remade = 0 } = draft;
    const beyond = beyondBlock(ideal.plan.call.gasLimit, gasLeft, context);
    if (beyond) return [{ ...beyond, opportunity }];
    const standing = standingOf(offered, proof, ideal.plan, { ...context, allowance, gasLeft }, policy);
    if (standing.kind === 'stands') {
      gasLeft -= plan.call.gasLimit;
      allowance = after(allowance, standing.plan.reservation);
      calls.set(standing.plan, [offered, proof]);
      return [{ kind: 'planned', plan: standing.plan }];
    }
    if (remade >= MOST_REMADE)
      return [{ ...rejected('proof-unsettled', { why: standing.why }), opportunity }];
    again.push({ ...draft, measured: proof, remade: remade + 1 });
    return [];
  });
  return { decisions, again, calls };
}

/** What a simulated call comes to, when the simulation says so. */
export type Standing =
  | { readonly kind: 'stands'; readonly plan: LiquidationPlan }
  | { readonly kind: 'made-anew'; readonly why: string };

/**
 * Whether the call that was simulated may be signed as it is.
 *
 * @param measured what the simulation told.
 * @param ideal the plan as one would make it of what was measured.
 * @returns the plan with the numbers of the simulation and with that call; or why another call is needed,
 *   which has to be simulated too.
 */
export function standingOf(
  offered: OfferedCall,
  measured: Measured,
  ideal: LiquidationPlan,
  context: Omit<Context, 'pending'> & { readonly gasLeft: bigint },
  policy: PricingPolicy,
): Standing {
  const { draft, limits, plan: expected, isGranted } = offered;
  const madeAnew = (why: string): Standing => ({ kind: 'made-anew', why });
  if (expected.call.gasLimit > context.gasLeft) return madeAnew('its gas limit is above that of the block');
  if (!isGranted) return madeAnew('its fees were not granted as it was expected');
  const { call } = expected;
  if (!doFeesLast(call, context.block.baseFeePerGas)) return madeAnew('its fees do not last for two blocks');
  const burnt = burntBy(measured);
  const most = policy.maxGasPerTransaction;
  // What the gas limit has for data on L1, where that is paid in gas.
  const l1Gas = call.gasLimit - limits.total;
  const isL1GasEnough = l1Gas * 4n >= (measured.feesOf(limits.total).l1Gas ?? 0n) * 5n;
  if (!isL1GasEnough || !areEnough(limits, burnt, most)) return madeAnew('its gas limit leaves too little');
  const wanted = ideal.call.gasLimit;
  const isTooHigh = expected.bidLoweredBy ? call.gasLimit > wanted : call.gasLimit > FAR_TOO_HIGH * wanted;
  if (isTooHigh) return madeAnew('its gas limit is too high');
  const mostTip = (ideal.call.maxPriorityFeePerGas * (BPS + BID_TOLERANCE_BPS)) / BPS;
  if (call.maxPriorityFeePerGas > mostTip) return madeAnew('its bid is too high');

  const priced = priceDraft(draft, measured, context, policy, limits);
  const asked = planOf(priced, feesOf(expected, priced, context), context, policy, call.data);
  if (asked.netProfitUsd8 < min(policy.minProfitUsd8, ideal.netProfitUsd8))
    return madeAnew('its bid leaves less than the floor');
  if (!doFloorsHold(stepsOfPlan(asked), stepsOfPlan(expected), asked, policy))
    return madeAnew('its floors are not those that pay for it');
  if (refusalOf(asked.reservation, context.allowance)) return madeAnew('its fees are above the limits');
  return { kind: 'stands', plan: withCallOf(expected, asked) };
}

/** The fees of the call, and what may be paid beside them by what was measured. */
function feesOf(
  { call, bidLoweredBy }: LiquidationPlan,
  { need }: PricedDraft,
  { nativePriceUsd8 }: Pick<Context, 'nativePriceUsd8'>,
): Parameters<typeof planOf>[1] {
  const { gasLimit, maxFeePerGas, maxPriorityFeePerGas } = call;
  const reservation = reservationOf(gasLimit * maxFeePerGas + need.besideGasWei, nativePriceUsd8);
  return { maxFeePerGas, maxPriorityFeePerGas, reservation, bidLoweredBy };
}

/** Each is what the measured profit asks for, or they pay for the floor and every cost together. */
function doFloorsHold(
  asked: readonly PlannedStep[],
  offered: readonly PlannedStep[],
  { costs }: LiquidationPlan,
  { minProfitUsd8 }: PricingPolicy,
): boolean {
  const floorOf = (index: number): bigint => offered[index]?.minProfit ?? 0n;
  if (asked.some(({ simulation }, index) => simulation.profit < floorOf(index))) return false;
  if (asked.every(({ minProfit }, index) => floorOf(index) >= minProfit)) return true;
  const worthUsd8 = asked.reduce(
    (sum, { profitAsset }, index) => sum + valueUsd8(floorOf(index), profitAsset),
    0n,
  );
  return worthUsd8 >= minProfitUsd8 + totalCostsUsd8(costs);
}

function withCallOf(offered: LiquidationPlan, measured: LiquidationPlan): LiquidationPlan {
  const floors = stepsOfPlan(offered).map(({ minProfit }) => minProfit);
  const { call } = offered;
  const bid =
    offered.bid.model === 'none'
      ? { ...offered.bid, why: 'what was expected of it left nothing to bid' }
      : offered.bid;
  return {
    ...{ ...measured, call, bid, minProfit: floors[0] ?? measured.minProfit },
    ...(measured.further && {
      further: measured.further.map((step, index) => ({
        ...step,
        minProfit: floors[index + 1] ?? step.minProfit,
      })),
    }),
  };
}

function stepsOfPlan(plan: LiquidationPlan): readonly PlannedStep[] {
  return [plan, ...(plan.further ?? [])];
}
