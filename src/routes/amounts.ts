import { max, min } from '../domain/money.js';
import { highest, type Divider, type Division } from './division.js';
import type { FormKind } from './form.js';
import type { Path } from './path.js';
import type { Sized, Trade } from './trade.js';

/** An amount with a division of it, both not yet exact. */
export interface Choice<S extends Sized> {
  readonly size: S;
  readonly division: Division;
  /** Net profit in units of the profit token, in floats. */
  readonly value: number;
}

/** Between two edges, where both sides grow in proportion to the covered debt: units for a unit of it. */
interface Line {
  readonly debtToFund: number;
  readonly collateralSeized: number;
}

/** A division of an amount on a line. */
interface OnLine {
  readonly debtToCover: number;
  readonly division: Division;
  readonly value: number;
}

/** Of an amount, left away to see whether less is better. */
const PROBE = 1 / 64;
/** The smallest part of an amount that is looked at. */
const SMALLEST_SHARE = 2 ** -10;
/** The best amount is within these factors of the last one found, which may have another division. */
const FACTORS = [2, 1.5];
/** Narrows a range of amounts to 0.3 %: the profit is flat around its best. */
const AMOUNT_STEPS = 12;
/** Of the best value so far: an edge that is worth less, in the same proportions, is not divided anew. */
const WORTH_DIVIDING = 0.9;

/** Searches the amount together with its division, in floats. */
export class AmountSearch<S extends Sized> {
  private readonly found: Choice<S>[] = [];

  constructor(
    private readonly trade: Trade<S>,
    private readonly kind: FormKind,
    /** What is owed for a unit of the loan; counts for a sale only. */
    private readonly loanFactor: number,
    /** The paths worth trying for an amount of the token whose amount is known. */
    private readonly paths: (amount: number) => readonly Path[],
    private readonly rough: Divider,
    /** With the pools' own estimates. */
    private readonly fine: Divider,
  ) {}

  /** All edges, and the best amounts between them; the best first. */
  choices(): readonly Choice<S>[] {
    const edges = this.edges();
    let best: Choice<S> | undefined;
    for (const [index, edge] of edges.entries()) {
      const size = this.trade.size(edge);
      const here = size && this.atEdge(size, best);
      if (here && !(best && best.value >= here.value)) best = here;
      if (here && this.risesUpTo(here)) break;
      const lower = edges[index + 1];
      const between = lower === undefined ? undefined : this.between(lower, edge);
      if (between && !(best && best.value >= between.value)) best = between;
    }
    return this.found.sort((a, b) => b.value - a.value);
  }

  /** From the largest to the smallest, which are edges too. */
  private edges(): bigint[] {
    const { least, most, edges } = this.trade;
    const within = edges.map((edge) => max(least, min(edge, most)));
    return [...new Set([most, ...within, least])].sort((a, b) => (a < b ? 1 : -1));
  }

  /** Adds an edge; not divided anew where that cannot make it the best. */
  private atEdge(size: S, best: Choice<S> | undefined): Choice<S> | undefined {
    const scaled = best && this.choice(size, this.fine.scaled(best.division, this.knownOf(size)));
    return scaled && scaled.value < best.value * WORTH_DIVIDING ? scaled : this.add(size);
  }

  /** Adds the best divisions of an amount. @returns the best one, if any path can. */
  private add(size: S): Choice<S> | undefined {
    const known = this.knownOf(size);
    const choices = this.rough
      .best(this.paths(known), known)
      .map((division) => this.choice(size, this.fine.scaled(division, known)))
      .sort((a, b) => b.value - a.value);
    this.found.push(...choices);
    return choices[0];
  }

  private choice(size: S, division: Division): Choice<S> {
    const worth = this.worth(Number(size.debtToFund), Number(size.collateralSeized));
    return { size, division, value: division.value + worth };
  }

  /**
   * The profit is concave below an edge, so that nothing there is better if a little less is worse: in the
   * same proportions, and in the best ones for it.
   */
  private risesUpTo({ size, division, value }: Choice<S>): boolean {
    const less = this.knownOf(size) * (1 - PROBE);
    const worth = this.worth(Number(size.debtToFund), Number(size.collateralSeized)) * (1 - PROBE);
    const isWorse = ({ value: there }: Division): boolean => there + worth < value;
    return isWorse(this.fine.scaled(division, less)) && isWorse(this.fine.resized(division, less));
  }

  /** Adds the best amount between two edges. */
  private between(from: bigint, to: bigint): Choice<S> | undefined {
    const line = this.line(from, to);
    if (!line) return undefined;
    const around = (best: OnLine, factor: number, divide: (known: number) => Division): number =>
      highest(
        (debt) => divide(this.knownOn(line, debt)).value + this.worthOn(line, debt),
        Math.max(Number(from), best.debtToCover / factor),
        Math.min(Number(to), best.debtToCover * factor),
        AMOUNT_STEPS,
      );
    let best = this.scan(line, Number(from), Number(to));
    for (const factor of FACTORS) {
      if (!best) return undefined;
      const { division } = best;
      best = this.bestOn(
        line,
        around(best, factor, (known) => this.rough.resized(division, known)),
      );
    }
    if (!best) return undefined;
    const { division } = best;
    const amount = around(best, 1.25, (known) => this.fine.resized(division, known));
    const size = this.trade.size(max(from, min(BigInt(Math.floor(amount)), to)));
    if (!size) return undefined;
    const choice = this.choice(size, this.fine.resized(division, this.knownOf(size)));
    this.found.push(choice);
    return choice;
  }

  /** The best of halves, quarters and so on: the best amount is not far from it. */
  private scan(line: Line, low: number, high: number): OnLine | undefined {
    let best: OnLine | undefined;
    for (let debt = high; debt > Math.max(low, high * SMALLEST_SHARE); debt /= 2) {
      const here = this.bestOn(line, debt);
      if (!here) continue;
      if (!best || here.value > best.value) best = here;
      else if (best.value > 0) break;
    }
    return best;
  }

  private bestOn(line: Line, debtToCover: number): OnLine | undefined {
    const known = this.knownOn(line, debtToCover);
    const [division] = this.rough.best(this.paths(known), known);
    return division && { debtToCover, division, value: division.value + this.worthOn(line, debtToCover) };
  }

  /** Undefined where the market refuses what lies between. */
  private line(from: bigint, to: bigint): Line | undefined {
    const middle = (from + to) / 2n;
    const size = middle > from ? this.trade.size(middle) : undefined;
    if (!size) return undefined;
    return {
      debtToFund: Number(size.debtToFund) / Number(middle),
      collateralSeized: Number(size.collateralSeized) / Number(middle),
    };
  }

  private worthOn({ debtToFund, collateralSeized }: Line, debtToCover: number): number {
    return this.worth(debtToFund * debtToCover, collateralSeized * debtToCover);
  }

  private knownOn({ debtToFund, collateralSeized }: Line, debtToCover: number): number {
    return this.known(debtToFund * debtToCover, collateralSeized * debtToCover);
  }

  private knownOf({ debtToFund, collateralSeized }: S): number {
    return this.known(Number(debtToFund), Number(collateralSeized));
  }

  /** The amount that is divided: collateral that is sold, or debt that is bought. */
  private known(debtToFund: number, collateralSeized: number): number {
    return this.kind === 'sale' ? collateralSeized : debtToFund;
  }

  /** What a division's value is added to: the collateral seized, or minus what is owed. */
  private worth(debtToFund: number, collateralSeized: number): number {
    return this.kind === 'sale' ? -debtToFund * this.loanFactor : collateralSeized;
  }
}
