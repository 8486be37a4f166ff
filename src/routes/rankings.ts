import type { FormKind } from './form.js';
import type { Link, PoolGraph } from './pool-graph.js';

/** Of parallel pools, the best ones that are kept for an amount. */
const MOST_KEPT = 4;

export type TokenNumbers = readonly [number, number];

/** Parallel pools, for amounts of a size. */
export interface Ranked {
  /** Legs that go between two tokens, the best one first. */
  readonly legs: readonly number[];
  /** Of the best one, units out for a unit in; 0 where there is none. */
  readonly price: number;
}

/** Which of the pools between two tokens are the best for amounts of a size, in one state of the pools. */
export class Rankings {
  constructor(
    private readonly graph: PoolGraph,
    private readonly kind: FormKind,
    /** By pair of tokens and size. */
    private readonly known: ((Ranked | undefined)[] | undefined)[] = [],
  ) {}

  /** Those of the pairs whose pools are as they were stay. */
  after(graph: PoolGraph, changed: readonly TokenNumbers[]): Rankings {
    const known = [...this.known];
    for (const [one, other] of changed)
      known[one * graph.tokens + other] = known[other * graph.tokens + one] = undefined;
    return new Rankings(graph, this.kind, known);
  }

  /**
   * By what they give for an amount of `token` (sale), or take for it (flash swap).
   *
   * @param size of the amount: see {@link sizeOf}.
   */
  best(token: number, other: number, size: number): Ranked {
    const ofPair = (this.known[token * this.graph.tokens + other] ??= []);
    return (ofPair[size] ??= this.ranked(this.graph.between(token, other), amountOf(size)));
  }

  private ranked(links: readonly Link[], amount: number): Ranked {
    const { graph, kind } = this;
    const legs: number[] = [];
    const results: number[] = [];
    for (const link of links) {
      if (kind === 'flash-swap' && !graph.lends(link.pool)) continue;
      const leg = kind === 'sale' ? link.sells : link.buys;
      const result = kind === 'sale' ? -graph.out(leg, amount) : graph.in(leg, amount);
      if (result === 0 || !(result < Infinity)) continue;
      let at = legs.length;
      while (at > 0 && result < (results[at - 1] ?? 0)) at -= 1;
      if (at === MOST_KEPT) continue;
      legs.splice(at, 0, leg);
      results.splice(at, 0, result);
      if (legs.length > MOST_KEPT) legs.length = results.length = MOST_KEPT;
    }
    const [best] = results;
    if (best === undefined) return NONE;
    return { legs, price: kind === 'sale' ? -best / amount : amount / best };
  }
}

const NONE: Ranked = { legs: [], price: 0 };

/** Amounts of one size are not told apart where paths are looked for: half of 4^size up to twice as much. */
export function sizeOf(amount: number): number {
  return Math.max(0, Math.round(Math.log2(amount) / 2));
}

/** Units in the middle of a size. */
export function amountOf(size: number): number {
  return 4 ** size;
}
