import { min } from '../domain/money.js';
import { positionKey } from '../domain/position-id.js';
import { AdaptiveSize } from '../rpc/endpoints/adaptive-size.js';
import type { Draft } from './drafts.js';
import { stepsOf } from './quotes.js';

/**
 * The most that a draft may burn in its simulation. With a bound for each, a token or a pool that burns all
 * it gets takes nothing from the drafts after it.
 */
export const MOST_GAS_OF_DRAFT = 2_500_000n;
/** As long as nothing is known. A flash-swap liquidation with two debts took less than 0.7M. */
const FIRST_GAS = 700_000n;
const FIRST_GAS_OF_HOP = 100_000n;
/** What is known, and a quarter more: a call forwards no more than 63/64, and positions differ. */
const MARGIN = { numerator: 5n, denominator: 4n, more: 30_000n } as const;
/** So many kinds of drafts, and so many positions, are remembered. */
const MOST_REMEMBERED = 5_000;

/** How much gas drafts need in their simulation: by what drafts of their kind have used. */
export class ProofGas {
  private readonly used = new Map<string, bigint>();
  private readonly ranOut = new Set<string>();

  of(draft: Draft): bigint {
    if (this.ranOut.has(positionKey(draft.opportunity))) return MOST_GAS_OF_DRAFT;
    const used = this.used.get(kindOf(draft));
    if (used === undefined) {
      const steps = BigInt(stepsOf(draft.quote).length);
      return min(FIRST_GAS * steps + FIRST_GAS_OF_HOP * BigInt(hopsOf(draft)), MOST_GAS_OF_DRAFT);
    }
    const { numerator, denominator, more } = MARGIN;
    return min((used * numerator) / denominator + more, MOST_GAS_OF_DRAFT);
  }

  succeeded(draft: Draft, gasUsed: bigint): void {
    const kind = kindOf(draft);
    if (gasUsed > (this.used.get(kind) ?? 0n)) this.used.set(kind, gasUsed);
    forgetOldest(this.used);
  }

  /**
   * Whether a draft that reverted may have lacked gas. If so it gets the most from now on.
   *
   * @param given in its simulation.
   * @param silent it reverted without a word.
   */
  mayHaveRunOut(draft: Draft, given: bigint, gasUsed: bigint, silent: boolean): boolean {
    if (given >= MOST_GAS_OF_DRAFT || !(silent || gasUsed * 10n >= given * 9n)) return false;
    this.ranOut.add(positionKey(draft.opportunity));
    forgetOldest(this.ranOut);
    return true;
  }
}

/** Drafts that differ only by their borrower, amounts and pools. */
function kindOf(draft: Draft): string {
  const { opportunity, quote } = draft;
  const steps = stepsOf(quote).flatMap(({ candidate: { collateral, debt }, funding, route }) => [
    ...[collateral.address, debt.address, funding.kind, route.parts.length],
  ]);
  return [opportunity.market, opportunity.marketId, ...steps, hopsOf(draft)].join(' ');
}

function hopsOf({ quote }: Draft): number {
  const parts = stepsOf(quote).flatMap(({ route }) => route.parts);
  return parts.reduce((sum, { hops }) => sum + hops.length, 0);
}

function forgetOldest(of: Map<string, unknown> | Set<string>): void {
  const [oldest] = of.keys();
  if (of.size > MOST_REMEMBERED && oldest !== undefined) of.delete(oldest);
}

/** By default nodes spend 50M on one question, whatever it holds: `rpc.gascap` of geth, reth and erigon. */
const MOST_GAS_OF_QUESTION = 48_000_000;
/** After how many answers to questions of the full size a larger one is tried, once one was refused. */
const PATIENCE = 8;

/**
 * How much gas all endpoints spend on one question. A refusal halves it for the endpoint that refused; later
 * more is tried again.
 */
export class QuestionGas {
  private readonly sizes = new Map<string, AdaptiveSize>();

  get most(): bigint {
    const sizes = [...this.sizes.values()].map((size) => size.next(MOST_GAS_OF_QUESTION));
    return BigInt(Math.min(MOST_GAS_OF_QUESTION, ...sizes));
  }

  answered(endpoint: string, gas: bigint): void {
    this.sizeOf(endpoint).served(Number(gas));
  }

  refused(endpoint: string, gas: bigint): void {
    this.sizeOf(endpoint).refused(Number(gas));
  }

  private sizeOf(endpoint: string): AdaptiveSize {
    const known = this.sizes.get(endpoint);
    if (known) return known;
    const limits = { first: MOST_GAS_OF_QUESTION, largest: MOST_GAS_OF_QUESTION, patience: PATIENCE };
    const size = new AdaptiveSize(limits);
    this.sizes.set(endpoint, size);
    return size;
  }
}
