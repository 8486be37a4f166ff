import { costUsd8, max, WAD } from '../../domain/money.js';
import type { LiquidationCandidate, LiquidationPair } from '../../domain/opportunity.js';
import { edges, sizedCandidate, type CompoundV2Pair } from './candidates.js';
import { compoundTerms, healthFactorOfPair, isOpen, legOf, liquidate } from './liquidation.js';
import { borrowBalance } from './market.js';

/**
 * A step that leaves the position open leaves it at this health factor, wad. A price that moves by less than
 * the rest until inclusion takes nothing from the next step.
 */
const OPEN_BELOW_WAD = (WAD * 9_995n) / 10_000n;

/**
 * What may be liquidated after `candidate` of `pair` in the same transaction, exactly as the markets leave
 * the
 * position. Nothing where it is healthy then. What the markets can pay out is as before: the caller counts
 * it.
 *
 * @param pairs of the position before it.
 * @throws TypeError when the terms are of another family.
 */
export function pairsAfter(
  pairs: readonly LiquidationPair[],
  pair: LiquidationPair,
  candidate: LiquidationCandidate,
): CompoundV2Pair[] {
  const before = compoundTerms(pair.terms);
  const result = liquidate(before, candidate.debtToCover);
  if (typeof result !== 'object') return [];
  const position = result.after;
  const notionalUsd8 = costUsd8(candidate.debtToFund, candidate.debt);
  const maxNotionalUsd8 = max(before.maxNotionalUsd8 - notionalUsd8, 0n);
  return pairs.flatMap((one): CompoundV2Pair[] => {
    const terms = { ...compoundTerms(one.terms), position, maxNotionalUsd8 };
    const debt = legOf(position, terms.debt);
    if (legOf(position, terms.collateral).tokens === 0n || borrowBalance(debt, debt.accrued) === 0n)
      return [];
    if (!isOpen(terms)) return [];
    return [{ ...one, terms, candidates: edges(terms) }];
  });
}

/**
 * The largest amount of a pair after which the same pair can still be liquidated. None where the close factor
 * allows no more than such an amount.
 *
 * @throws TypeError when the terms are of another family.
 */
export function leavingOpen(pair: LiquidationPair): LiquidationCandidate[] {
  const terms = compoundTerms(pair.terms);
  const leavesOpen = (amount: bigint): boolean => {
    const result = liquidate(terms, amount);
    if (typeof result !== 'object') return false;
    return healthFactorOfPair({ ...terms, position: result.after }) < OPEN_BELOW_WAD;
  };
  const [candidate] = edges(terms);
  const most = candidate?.debtToCover ?? 0n;
  if (most === 0n || leavesOpen(most)) return [];
  // Up to where a step makes the position healthier, each larger one makes it healthier still.
  let [open, closed] = [0n, most];
  while (closed - open > 1n) {
    const middle = (open + closed) / 2n;
    if (leavesOpen(middle)) open = middle;
    else closed = middle;
  }
  const found = open > 0n ? sizedCandidate(terms, open, 'leaves-open') : undefined;
  return found ? [found] : [];
}
