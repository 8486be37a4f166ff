import type { LiquidationCandidate, LiquidationPair, Sizing, SizingTerms } from '../domain/opportunity.js';
import { sizedCandidate } from './aave-v3/candidates.js';
import { AAVE_V3 } from './aave-v3/liquidation.js';

type Size = (terms: SizingTerms, debtToCover: bigint, sizing: Sizing) => LiquidationCandidate | undefined;

/** The maths of each lending family, by the kind of its terms. */
const BY_KIND: ReadonlyMap<string, Size> = new Map([[AAVE_V3, sizedCandidate]]);

/**
 * The candidate of a pair that covers `debtToCover` debt token units, or undefined where the protocol would
 * refuse the amount. Pure: the same pair gives the same candidate, also when it was stored and read back.
 *
 * @throws TypeError when no lending family is of the kind of the pair.
 */
export function sizePair(
  { terms }: LiquidationPair,
  debtToCover: bigint,
  sizing: Sizing,
): LiquidationCandidate | undefined {
  const size = BY_KIND.get(terms.kind);
  if (!size) throw new TypeError(`no lending family is of the kind "${terms.kind}"`);
  return size(terms, debtToCover, sizing);
}
