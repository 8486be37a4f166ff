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

  /** The best first, by what they give for an amount of `token` (sale), or take for it (flash swap). */
  best(token: number, other: number, amount: number): readonly Link[] {
    const links = this.graph.between(token, other);
    if (links.length === 0) return links;
    const octave = Math.max(0, Math.floor(Math.log2(amount)));
    const ofPair = (this.known[token * this.graph.tokens + other] ??= []);
    return (ofPair[octave] ??= this.ranked(links, 2 ** octave));
  }

  private ranked(links: readonly Link[], amount: number): readonly Link[] {
    const { graph, kind } = this;
    return links
      .filter(({ pool }) => kind === 'sale' || graph.lends(pool))
      .map((link) => ({
        link,
        result: kind === 'sale' ? -graph.out(link.sells, amount) : graph.in(link.buys, amount),
      }))
      .filter(({ result }) => result !== 0 && result < Infinity)
      .sort((a, b) => a.result - b.result)
      .slice(0, MOST_KEPT)
      .map(({ link }) => link);
  }
}
