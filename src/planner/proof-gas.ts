import { fundingName } from '../domain/funding.js';
import type { Address } from '../domain/hex.js';
import { max, min } from '../domain/money.js';
import { positionKey } from '../domain/position-id.js';
import { gasOf } from '../protocols/market-kinds.js';
import type { Draft } from './drafts.js';
import { stepsOf, type QuotedStep } from './quotes.js';
import { gasOfFurther } from './step-gas.js';

/** What a transaction burns: known from a simulation, or expected of one. */
export interface BurntGas {
  /** Of the whole transaction, after refunds. */
  readonly total: bigint;
  /** Of each of several liquidations by itself; empty where there is one. */
  readonly ofSteps: readonly bigint[];
}

/** The gas limits of a transaction, with which it is simulated and signed. */
export interface GasLimits {
  readonly total: bigint;
  /** Of each of several liquidations, 0 for none of its own; empty where there is one. */
  readonly ofSteps: readonly bigint[];
}

/**
 * The most that one liquidation may burn in its simulation, and a further one of its transaction. With a
 * bound for each, a token or a pool that burns all it gets takes nothing from the drafts after it.
 */
export const MOST_GAS_OF_DRAFT = 2_500_000n;
const MOST_GAS_OF_FURTHER = 1_000_000n;
/**
 * As long as nothing is known: what the kind of market takes, and by bench:gas what pools, loans and further
 * liquidations take, which find most of the storage warm. All with some more, for ticks and for balances that
 * begin at zero.
 */
const MORE_OF_FIRST = 10_000n;
const GAS_OF_POOL = 85_000n;
const GAS_OF_WRAPPER = 130_000n;
const GAS_OF_LOAN = 65_000n;
/** Outside of the liquidations: the base cost of the transaction, its calldata, the loop over the steps. */
const GAS_OF_BATCH = 60_000n;
/** So many forms of drafts, and so many positions, are remembered. */
const MOST_REMEMBERED = 5_000;
/** What is known falls by this part of the difference when less is used. */
const FALL = 16n;

/** How much gas drafts need: by what drafts of their form have used, or else by the form itself. */
export class ProofGas {
  private readonly used = new Map<string, BurntGas>();
  private readonly ranOut = new Set<string>();

  /** What a draft is expected to burn. Of one that ran out of gas only that it needs much is known. */
  expected(draft: Draft): BurntGas {
    if (this.ranOut.has(positionKey(draft.opportunity)))
      return { total: MOST_GAS_OF_DRAFT / 2n, ofSteps: [] };
    const keys = [positionOf(draft), kindOf(draft), formOf(draft)];
    return keys.map((key) => this.used.get(key)).find((known) => known !== undefined) ?? byForm(draft);
  }

  /** @param most that the chain lets one transaction have. */
  limits(draft: Draft, most: bigint): GasLimits {
    const steps = stepsOf(draft.quote).length;
    const bound = min(MOST_GAS_OF_DRAFT + MOST_GAS_OF_FURTHER * BigInt(steps - 1), most);
    if (this.ranOut.has(positionKey(draft.opportunity)))
      return { total: bound, ofSteps: steps > 1 ? Array.from({ length: steps }, () => 0n) : [] };
    return limitsOf(this.expected(draft), bound);
  }

  /** What burns far more than others of its kind is remembered by its position alone. */
  succeeded(draft: Draft, burnt: BurntGas): void {
    this.ranOut.delete(positionKey(draft.opportunity));
    const known = this.used.get(kindOf(draft));
    const isOdd = known !== undefined && burnt.total * 2n > known.total * 3n;
    for (const key of isOdd ? [positionOf(draft)] : [kindOf(draft), formOf(draft)])
      this.used.set(key, eased(this.used.get(key), burnt));
    if (!isOdd) this.used.delete(positionOf(draft));
    forgetOldest(this.used);
  }

  /**
   * Whether a draft that reverted may have lacked gas. If so it gets the most until it succeeds.
   *
   * @param given in its simulation.
   * @param silent it reverted without a word.
   */
  mayHaveRunOut(draft: Draft, given: bigint, gasUsed: bigint, silent: boolean): boolean {
    if (this.ranOut.has(positionKey(draft.opportunity)) || given >= MOST_GAS_OF_DRAFT) return false;
    if (!(silent || gasUsed * 10n >= given * 9n)) return false;
    this.ranOut.add(positionKey(draft.opportunity));
    forgetOldest(this.ranOut);
    return true;
  }
}

/**
 * The limits for what was simulated, or is expected: a third more, and some. A transaction may burn more than
 * its simulation: ticks are crossed, balances begin at zero. The limits of several liquidations find room in
 * that of their transaction.
 */
export function limitsOf({ total, ofSteps }: BurntGas, most: bigint): GasLimits {
  const limits = ofSteps.map(limitOf);
  const unused = limits.reduce((sum, limit, index) => sum + limit - (ofSteps[index] ?? 0n), 0n);
  return { total: min(max(limitOf(total), total + unused), most), ofSteps: limits };
}

/**
 * Whether these limits leave enough above what was burnt with them: a fifth, and some. What a transaction
 * needs while it runs, for refunds at its end and for calls that forward no more than 63/64, the simulation
 * had: it succeeded with these very limits.
 */
export function areEnough(limits: GasLimits, { total, ofSteps }: BurntGas, most: bigint): boolean {
  const isEnough = (limit: bigint, burnt: bigint): boolean => limit >= (burnt * 6n) / 5n + 25_000n;
  return (
    (limits.total >= most || isEnough(limits.total, total)) &&
    ofSteps.every((burnt, step) => limits.ofSteps[step] === 0n || isEnough(limits.ofSteps[step] ?? 0n, burnt))
  );
}

function limitOf(burnt: bigint): bigint {
  return (burnt * 13n) / 10n + 50_000n;
}

/** More counts at once, less by and by. */
function eased(known: BurntGas | undefined, burnt: BurntGas): BurntGas {
  if (!known) return burnt;
  const one = (before: bigint, now: bigint): bigint => max(now, before - (before - now) / FALL);
  const ofSteps = burnt.ofSteps.map((now, step) => one(known.ofSteps[step] ?? now, now));
  return { total: one(known.total, burnt.total), ofSteps };
}

function byForm({ quote }: Draft): BurntGas {
  const gas = stepsOf(quote).map(({ pair, funding, route }, index) => {
    const hops = route.parts.flatMap((part) => part.hops);
    const swaps = hops.map(({ leastOut }) => (leastOut === undefined ? GAS_OF_POOL : GAS_OF_WRAPPER));
    const lent = funding.kind === 'loan' ? GAS_OF_LOAN : 0n;
    return swaps.reduce(
      (sum, one) => sum + one,
      lent + (index === 0 ? gasOf(pair) + MORE_OF_FIRST : gasOfFurther(pair)),
    );
  });
  const total = gas.reduce((sum, one) => sum + one, 0n);
  return gas.length > 1 ? { total: total + GAS_OF_BATCH, ofSteps: gas } : { total, ofSteps: [] };
}

function positionOf(draft: Draft): string {
  return `${positionKey(draft.opportunity)} ${kindOf(draft)}`;
}

/** Drafts that differ only by their borrower, amounts and pools of a venue. */
function kindOf(draft: Draft): string {
  return keyOf(draft, (step) => [step.candidate.collateral.address, step.candidate.debt.address]);
}

/** Drafts of a market that differ by their tokens too. */
function formOf(draft: Draft): string {
  return keyOf(draft, () => []);
}

function keyOf({ opportunity, quote }: Draft, tokensOf: (step: QuotedStep) => readonly Address[]): string {
  const steps = stepsOf(quote).map((step) => {
    const parts = step.route.parts.map(({ hops }) => hops.map(({ venue }) => venue).join('+'));
    return [...tokensOf(step), fundingName(step.funding), ...parts].join(' ');
  });
  // The market looks at every asset of the borrower.
  return [opportunity.market, opportunity.marketId, opportunity.pairs.length, ...steps].join(' | ');
}

function forgetOldest(of: Map<string, unknown> | Set<string>): void {
  const [oldest] = of.keys();
  if (of.size > MOST_REMEMBERED && oldest !== undefined) of.delete(oldest);
}
