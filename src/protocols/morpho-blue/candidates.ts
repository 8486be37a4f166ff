import type { Step } from '../../contract/plan.js';
import type { SizeLimits } from '../../domain/at-risk.js';
import type { Address, Hash } from '../../domain/hex.js';
import { amountWithin, max, min } from '../../domain/money.js';
import {
  mostSeized,
  type Asset,
  type LiquidationCandidate,
  type LiquidationPair,
  type Sizing,
  type SizingTerms,
} from '../../domain/opportunity.js';
import { liquidationResult, type LiquidationAmount } from './liquidation.js';
import type { BluePosition, MarketTotals } from './market.js';
import { toSharesDown } from './math.js';

/** The kind of this family. */
export const MORPHO_BLUE = 'morpho-blue';

/** What decides a liquidation of one position. Plain data. */
export interface MorphoBlueTerms extends SizingTerms {
  readonly kind: typeof MORPHO_BLUE;
  readonly marketId: Hash;
  readonly oracle: Address;
  readonly irm: Address;
  /** Wad. */
  readonly lltvWad: bigint;
  readonly collateral: Asset;
  readonly debt: Asset;
  readonly position: BluePosition;
  /** IOracle.price(): loan token units for 1e36 collateral token units. */
  readonly price: bigint;
  /** With the interest up to the block. */
  readonly totals: MarketTotals;
  /** With the interest until the funding horizon ends. */
  readonly laterTotals: MarketTotals;
  /** The most debt, by value, that may be covered now. */
  readonly maxNotionalUsd8: bigint;
}

export interface MorphoBluePair extends LiquidationPair {
  readonly terms: MorphoBlueTerms;
}

function isMorphoBlue(terms: SizingTerms): terms is MorphoBlueTerms {
  return terms.kind === MORPHO_BLUE;
}

/** @throws TypeError when the terms are of another family. */
export function ownTerms(terms: SizingTerms): MorphoBlueTerms {
  if (!isMorphoBlue(terms))
    throw new TypeError(`"${terms.kind}" are not the terms of a Morpho Blue liquidation`);
  return terms;
}

/** The pair of a position. Its collateral is never lent: the market can pay out all of it. */
export function liquidationPair(terms: MorphoBlueTerms): MorphoBluePair {
  return { terms, payable: undefined, candidates: edges(terms) };
}

/** Whether the operator's limit, rather than the position, bounds what may be covered. */
export function isBoundedByLimit(
  terms: MorphoBlueTerms,
  { maxNotionalUsd8 }: Pick<SizeLimits, 'maxNotionalUsd8'>,
): boolean {
  const largest = largestCandidate(terms);
  return largest !== undefined && largest.debtToCover > amountWithin(maxNotionalUsd8, terms.debt);
}

/**
 * The amounts among which the best profit is. There is no close factor: all of the debt, or, where the
 * collateral does not reach for it, all of the collateral; and the operator's limit when it is less.
 */
export function edges(terms: MorphoBlueTerms): LiquidationCandidate[] {
  const largest = largestCandidate(terms);
  if (!largest) return [];
  const limit = amountWithin(terms.maxNotionalUsd8, terms.debt);
  if (largest.debtToCover <= limit) return [largest];
  const limited = limit > 0n ? sizedCandidate(terms, limit, 'notional-limit') : undefined;
  return limited ? [limited] : [];
}

function largestCandidate(terms: MorphoBlueTerms): LiquidationCandidate | undefined {
  const { borrowShares } = terms.position;
  return (
    seizingAll(terms) ??
    candidateOf(terms, { unit: 'shares', amount: borrowShares }, 'all-debt') ??
    candidateOf(terms, { unit: 'shares', amount: nearlyAll(terms) }, 'leaves-minimum')
  );
}

/**
 * The collateral reaches for all of the debt now, and does not with the interest until inclusion: borrow
 * shares for which it does, a millionth fewer than it could be.
 */
function nearlyAll({ position, price, lltvWad, laterTotals: totals }: MorphoBlueTerms): bigint {
  const all = { unit: 'collateral', amount: position.collateral } as const;
  const { repaidShares = 0n } = liquidationResult({ position, price, lltvWad, totals }, all) ?? {};
  return max(repaidShares - repaidShares / 1_000_000n - 1n, 0n);
}

/** Undefined where the debt is too small for all of the collateral. */
function seizingAll(terms: MorphoBlueTerms): LiquidationCandidate | undefined {
  return candidateOf(terms, { unit: 'collateral', amount: terms.position.collateral }, 'all-collateral');
}

/**
 * The candidate that covers no more than `debtToCover` (debt token units), or undefined where Morpho would
 * refuse it, now or with the interest until the funding horizon ends.
 *
 * @throws TypeError when the terms are of another family.
 */
export function sizedCandidate(
  terms: SizingTerms,
  debtToCover: bigint,
  sizing: Sizing,
): LiquidationCandidate | undefined {
  const own = ownTerms(terms);
  const all = seizingAll(own);
  if (all && debtToCover >= all.debtToCover) return all;
  const amount = sharesWithin(own, debtToCover);
  const isAll = amount === own.position.borrowShares;
  return candidateOf(own, { unit: 'shares', amount }, isAll ? 'all-debt' : sizing);
}

/**
 * The largest candidate that needs no more than `payable` units of collateral, or undefined where none does.
 *
 * @throws TypeError when the terms are of another family.
 */
export function payableCandidate(terms: SizingTerms, payable: bigint): LiquidationCandidate | undefined {
  const own = ownTerms(terms);
  const largest = largestCandidate(own);
  if (!largest || mostSeized(largest) <= payable) return largest;
  // What is seized falls with what is repaid, so the amount can be searched.
  let [fits, beyond] = [0n, largest.debtToCover];
  let found: LiquidationCandidate | undefined;
  while (beyond - fits > 1n) {
    const middle = (fits + beyond) / 2n;
    const candidate = sizedCandidate(own, middle, 'payable');
    if (!candidate || mostSeized(candidate) <= payable) {
      fits = middle;
      found = candidate ?? found;
    } else beyond = middle;
  }
  return found;
}

/** With what Morpho.liquidate is called for a candidate. @throws TypeError as {@link sizedCandidate} */
export function amountOf(terms: SizingTerms, candidate: LiquidationCandidate): LiquidationAmount {
  const own = ownTerms(terms);
  // Interest until inclusion changes neither the collateral nor the borrow shares of a position.
  return candidate.sizing === 'all-collateral'
    ? { unit: 'collateral', amount: candidate.collateralSeized }
    : { unit: 'shares', amount: sharesWithin(own, candidate.debtToCover) };
}

/**
 * The step of our contract that liquidates a candidate.
 *
 * @param funded `after`: the market gives the collateral first, and later steps bring the debt tokens.
 * @throws TypeError as {@link sizedCandidate}
 */
export function stepOf(
  terms: SizingTerms,
  candidate: LiquidationCandidate,
  funded: 'before' | 'after',
): Extract<Step, { kind: 'liquidate-morpho' }> {
  const { oracle, irm, lltvWad: lltv } = ownTerms(terms);
  const { unit, amount } = amountOf(terms, candidate);
  return { kind: 'liquidate-morpho', oracle, irm, lltv, amount, unit, callback: funded === 'after' };
}

/** The most borrow shares whose debt, rounded up, is at most this: debt token units. */
function sharesWithin({ totals, position }: MorphoBlueTerms, debtToCover: bigint): bigint {
  const shares = toSharesDown(debtToCover, totals.borrowAssets, totals.borrowShares);
  return min(shares, position.borrowShares);
}

function candidateOf(
  terms: MorphoBlueTerms,
  amount: LiquidationAmount,
  sizing: Sizing,
): LiquidationCandidate | undefined {
  const result = liquidationResult(terms, amount);
  if (!result || result.repaidAssets === 0n || result.seizedAssets === 0n) return undefined;
  const later = liquidationResult({ ...terms, totals: terms.laterTotals }, amount);
  if (!later) return undefined;
  return {
    collateral: terms.collateral,
    debt: terms.debt,
    sizing,
    debtToCover: result.repaidAssets,
    // One more for the rounding of what others do in the market until inclusion.
    debtToFund: max(result.repaidAssets, later.repaidAssets) + 1n,
    collateralSeized: result.seizedAssets,
    protocolFee: 0n,
  };
}
