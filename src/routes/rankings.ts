import type { FormKind } from './form.js';
import type { Link, PoolGraph } from './pool-graph.js';

/** Of parallel pools, the best ones that are kept for an amount. */
const MOST_KEPT = 4;

export type TokenNumbers = readonly [number, number];

/** Which of the pools between two tokens are the best for amounts of an octave, in one state of the pools. */
export class Rankings {
  constructor(
    private readonly graph: PoolGraph,
    private readonly kind: FormKind,
    /** By pair of tokens and octave. */
    private readonly known: ((readonly Link[] | undefined)[] | undefined)[] = [],
  ) {}

  /** Those of the pairs whose pools are as they were stay. */
  after(graph: PoolGraph, changed: readonly TokenNumbers[]): Rankings {
    const known = [...this.known];
    for (const [one, other] of changed)
      known[one * graph.tokens + other] = known[other * graph.tokens + one] = undefined;
    return new Rankings(graph, this.kind, known);
  }

  /**
   * The best first, by what they give for an amount of `token` (sale), or take for it (flash swap).
   *
   * @param octave of the amount: see {@link octaveOf}.
   */
  best(token: number, other: number, octave: number): readonly Link[] {
    const ofPair = (this.known[token * this.graph.tokens + other] ??= []);
    return (ofPair[octave] ??= this.ranked(this.graph.between(token, other), 2 ** octave));
  }

  private ranked(links: readonly Link[], amount: number): readonly Link[] {
    const { graph, kind } = this;
    const best: Link[] = [];
    const results: number[] = [];
    for (const link of links) {
      if (kind === 'flash-swap' && !graph.lends(link.pool)) continue;
      const result = kind === 'sale' ? -graph.out(link.sells, amount) : graph.in(link.buys, amount);
      if (result === 0 || !(result < Infinity)) continue;
      let at = best.length;
      while (at > 0 && result < (results[at - 1] ?? 0)) at -= 1;
      if (at === MOST_KEPT) continue;
      best.splice(at, 0, link);
      results.splice(at, 0, result);
      if (best.length > MOST_KEPT) best.length = results.length = MOST_KEPT;
    }
    return best;
  }
}

/** Amounts that rankings do not tell apart: 2^octave up to twice as much. */
export function octaveOf(amount: number): number {
  return Math.max(0, Math.floor(Math.log2(amount)));
}
