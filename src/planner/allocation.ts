import { allot } from '../domain/allotment.js';
import type { PlanDecision } from '../domain/decision.js';
import type { Hex } from '../domain/hex.js';
import { belowFloor } from './drafts.js';
import type { PlanningContext } from './planning-context.js';
import { fullFees, planOf, type PricedDraft, type PricingPolicy } from './pricing.js';

/**
 * Turns the priced drafts of one pass into plans, in their order, as far as the allowance goes: it lowers
 * their bids, and refuses those that do not fit with the least bid. What is refused so has no attempt, and
 * thereby no row: it would be refused in every pass of the day. A plan that does not pay is refused with its
 * numbers.
 *
 * @param dataOf what a plan that pays has as the data of its call, where the caller needs no call of it.
 */
export function allocate(
  proofs: readonly (PlanDecision | PricedDraft)[],
  context: Pick<PlanningContext, 'block' | 'nativePriceUsd8' | 'allowance'>,
  policy: PricingPolicy,
  dataOf: (priced: PricedDraft) => Hex | undefined = () => undefined,
): PlanDecision[] {
  const { nativePriceUsd8, allowance } = context;
  const paying = proofs.filter(
    (proof): proof is PricedDraft => proof.kind === 'priced' && proof.bid !== undefined,
  );
  const allotted = allot(
    paying.map(({ need }) => need),
    nativePriceUsd8,
    allowance,
  );
  const fees = new Map(paying.map((priced, index) => [priced, allotted[index]]));
  return proofs.map((proof): PlanDecision => {
    if (proof.kind !== 'priced') return proof;
    const { opportunity } = proof.draft;
    const allotment = fees.get(proof);
    if (allotment?.kind === 'rejected') return { ...allotment, opportunity };
    if (allotment) return { kind: 'planned', plan: planOf(proof, allotment, context, policy, dataOf(proof)) };
    const plan = planOf(proof, fullFees(proof.need, nativePriceUsd8), context, policy);
    const { minProfitUsd8 } = policy;
    const detail = { netProfitUsd8: String(plan.netProfitUsd8), floorUsd8: String(minProfitUsd8) };
    return { ...belowFloor(plan.candidate, detail), opportunity, attempt: plan };
  });
}
