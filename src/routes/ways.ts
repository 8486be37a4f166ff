import type { FormKind } from './form.js';
import type { PoolGraph } from './pool-graph.js';
import { sizeOf, type Rankings } from './rankings.js';

/** A way from the token whose amount is known to another one, and what is there after it. */
export interface Way {
  readonly amount: number;
  /** The last one. */
  readonly leg: number;
  /** Where the way came over; -1 after the first hop. */
  readonly over: number;
  readonly before: Way | undefined;
}

/** How many ways to each token are kept after the first hop. */
const FIRST_KEPT = 2;
/** After the second one: three of them may come over the very token that is looked for, and do not count. */
const SECOND_KEPT = 6;
/** How many parallel pools are tried from the best way to a token, and from others. */
const POOLS_TRIED = [2, 1];
const NO_WAYS: readonly Way[] = [];

/**
 * The best ways from one token to all others, for one amount of it, over one and two hops. All searches that
 * begin there with that amount share them, wherever they end.
 */
export class Ways {
  private readonly second: (readonly Way[] | undefined)[] = [];
  private readonly pricesOverTwo: Float64Array;
  private readonly sale: boolean;

  private constructor(
    private readonly graph: PoolGraph,
    private readonly rankings: Rankings,
    private readonly start: number,
    private readonly first: readonly (readonly Way[] | undefined)[],
    kind: FormKind,
    private readonly amount: number,
  ) {
    this.sale = kind === 'sale';
    this.pricesOverTwo = new Float64Array(graph.tokens).fill(NaN);
  }

  /** @param amount units of the token where the ways start: sold in a sale, bought by a flash swap. */
  static from(graph: PoolGraph, rankings: Rankings, kind: FormKind, start: number, amount: number): Ways {
    const first: (readonly Way[] | undefined)[] = [];
    const size = sizeOf(amount);
    for (const token of graph.neighbours(start)) {
      const kept: Way[] = [];
      for (const leg of rankings.best(start, token, size).legs) {
        const reached = kind === 'sale' ? graph.out(leg, amount) : graph.in(leg, amount);
        if (reached > 0 && reached < Infinity)
          keep(kept, FIRST_KEPT, kind === 'sale', { amount: reached, leg, over: -1, before: undefined });
      }
      first[token] = kept;
    }
    return new Ways(graph, rankings, start, first, kind, amount);
  }

  /** Over one pool, the best one first. */
  overOne(token: number): readonly Way[] {
    return this.first[token] ?? NO_WAYS;
  }

  /** Over two pools, the best one first. */
  overTwo(token: number): readonly Way[] {
    return (this.second[token] ??= this.twoHops(token));
  }

  /**
   * About the best average price between the start and the token over two pools, in the terms of
   * {@link PathSweep}; 0 where there is no way. Its second hop is that of the middle of a size.
   */
  priceOverTwo(token: number): number {
    const known = this.pricesOverTwo[token] ?? 0;
    return known === known ? known : (this.pricesOverTwo[token] = this.priceOfTwo(token));
  }

  private priceOfTwo(token: number): number {
    let best = 0;
    for (const over of this.graph.neighbours(token)) {
      const way = over === this.start ? undefined : this.overOne(over)[0];
      if (!way) continue;
      const price = this.sale ? way.amount / this.amount : this.amount / way.amount;
      best = Math.max(best, price * this.rankings.best(over, token, sizeOf(way.amount)).price);
    }
    return best;
  }

  private twoHops(token: number): readonly Way[] {
    const { graph, rankings, sale } = this;
    const kept: Way[] = [];
    for (const over of graph.neighbours(token)) {
      if (over === this.start) continue;
      const ways = this.overOne(over);
      for (let place = 0; place < ways.length; place += 1) {
        const before = ways[place];
        if (!before) continue;
        const { amount } = before;
        const { legs } = rankings.best(over, token, sizeOf(amount));
        const most = Math.min(legs.length, POOLS_TRIED[place] ?? 1);
        for (let rank = 0; rank < most; rank += 1) {
          const leg = legs[rank] ?? -1;
          const last = kept.length < SECOND_KEPT ? undefined : kept[SECOND_KEPT - 1]?.amount;
          // By the price of small amounts, which no other one is better than.
          const price = graph.price(leg);
          if (last !== undefined && (sale ? amount * price <= last : amount / price >= last)) continue;
          const reached = sale ? graph.out(leg, amount) : graph.in(leg, amount);
          if (!(reached > 0 && reached < Infinity)) continue;
          if (last !== undefined && (sale ? reached <= last : reached >= last)) continue;
          keep(kept, SECOND_KEPT, sale, { amount: reached, leg, over, before });
        }
      }
    }
    return kept;
  }
}

/** Adds it to the best ways to a token, of which the first is the best. */
function keep(ways: Way[], most: number, more: boolean, way: Way): void {
  let at = ways.length;
  for (; at > 0; at -= 1) {
    const other = ways[at - 1]?.amount ?? 0;
    if (more ? way.amount <= other : way.amount >= other) break;
  }
  if (at === most) return;
  ways.splice(at, 0, way);
  if (ways.length > most) ways.pop();
}

/** The legs of a way and of one hop more, the last one first. */
export function legsBack(way: Way | undefined, last: number): number[] {
  const legs = [last];
  for (let at = way; at; at = at.before) legs.push(at.leg);
  return legs;
}
