import type { Path, Search } from './path.js';
import type { PoolGraph } from './pool-graph.js';
import { sizeOf, type Rankings } from './rankings.js';
import { legsBack, type Way, type Ways } from './ways.js';

export interface ValuedPath {
  /** The legs in the order in which they were found: see {@link PathSweep.pathOf}. */
  readonly way: Way | undefined;
  readonly leg: number;
  /** What is got, or minus what is taken, less the gas of the hops. */
  readonly value: number;
  /** On average of the amount, debt for collateral. */
  readonly price: number;
}

/** How many ways to each token are followed after the second hop. */
const SECOND_FOLLOWED = 3;
/** Over how many tokens, before the target, paths of three hops are looked at. */
const MOST_STOPS = 4;
/** Of the average prices of amounts of one size. */
const SIZE_TOLERANCE = 0.003;
/** Beyond the error of the prices of small amounts. */
const PRICE_TOLERANCE = 0.001;
/** Of an amount, taken as its last bit. */
const LAST_PART = 1 / 32;

/**
 * Looks for the paths of one search, for one amount and parts of it: the ways from the side where the amount
 * is known, with one hop more. Paths are cut that are dearer than the last unit of the whole amount on a path
 * that is known: no part of it should go there.
 */
export class PathSweep {
  /** What the last bit of the whole amount brings on the best path so far, debt for collateral. */
  worstPrice = 0;
  private bestPrice = 0;
  private readonly sale: boolean;
  private readonly start: number;
  private readonly target: number;

  /**
   * @param ahead by token: the best price of small amounts from there to the target over one pool.
   * @param whole the largest amount that is looked for, in units of the token whose amount is known.
   */
  constructor(
    private readonly graph: PoolGraph,
    private readonly search: Search,
    private readonly rankings: Rankings,
    private readonly ahead: Float64Array,
    private readonly whole: number,
  ) {
    this.sale = search.kind === 'sale';
    [this.start, this.target] = this.sale
      ? [search.collateral, search.debt]
      : [search.debt, search.collateral];
  }

  /**
   * The best paths for a part of the amount, in any order.
   *
   * @param ways from where the amount is known, for that part.
   */
  at(amount: number, ways: Ways): ValuedPath[] {
    const { graph, sale, target, start } = this;
    const arrived: ValuedPath[] = [];
    for (const { pool, sells, buys } of graph.between(start, target))
      if (sale || graph.lends(pool)) this.arrive(undefined, amount, sale ? sells : buys, amount, 1, arrived);
    for (const token of graph.neighbours(target)) {
      if (token === start) continue;
      for (const way of ways.overOne(token)) this.onward(way, token, amount, 2, arrived);
    }
    for (const token of this.lastStops(amount, ways)) {
      let followed = 0;
      for (const way of ways.overTwo(token)) {
        if (way.over === target) continue;
        this.onward(way, token, amount, 3, arrived);
        followed += 1;
        if (followed === SECOND_FOLLOWED) break;
      }
    }
    return arrived.filter(({ price, value }) => price >= this.worstPrice && value > -Infinity);
  }

  /** The tokens over which paths of three hops are worth a look, by about what they would give. */
  private lastStops(amount: number, ways: Ways): number[] {
    const { graph, rankings, sale, start, target } = this;
    const prices: number[] = [];
    const stops: number[] = [];
    for (const token of graph.neighbours(target)) {
      if (token === start) continue;
      const there = ways.priceOverTwo(token);
      const size = sizeOf(sale ? amount * there : amount / there);
      const price = there * rankings.best(token, target, size).price;
      if (!(price >= this.worstPrice * (1 - SIZE_TOLERANCE))) continue;
      let at = stops.length;
      while (at > 0 && price > (prices[at - 1] ?? 0)) at -= 1;
      if (at === MOST_STOPS) continue;
      stops.splice(at, 0, token);
      prices.splice(at, 0, price);
      if (stops.length > MOST_STOPS) stops.length = prices.length = MOST_STOPS;
    }
    return stops;
  }

  /** In the order of the swaps. */
  pathOf({ way, leg }: Pick<ValuedPath, 'way' | 'leg'>): Path {
    const legs = legsBack(way, leg);
    return this.sale ? legs.reverse() : legs;
  }

  private onward(way: Way, token: number, known: number, hop: number, arrived: ValuedPath[]): void {
    if (this.price(way.amount, known) * (this.ahead[token] ?? 0) < this.worstPrice) return;
    for (const leg of this.rankings.best(token, this.target, sizeOf(way.amount)).legs)
      this.arrive(way, way.amount, leg, known, hop, arrived);
  }

  private arrive(
    way: Way | undefined,
    amount: number,
    leg: number,
    known: number,
    hop: number,
    arrived: ValuedPath[],
  ): void {
    if (this.price(amount, known) * this.graph.price(leg) < this.worstPrice) return;
    const reached = this.through(leg, amount);
    const price = this.price(reached, known);
    if (price === 0 || price < this.worstPrice) return;
    arrived.push({ way, leg, price, value: (this.sale ? reached : -reached) - this.search.hopCost * hop });
    if (price <= this.bestPrice) return;
    this.bestPrice = price;
    const last = this.lastPrice(this.pathOf({ way, leg }));
    this.worstPrice = Math.max(this.worstPrice, last * (1 - PRICE_TOLERANCE));
  }

  private through(leg: number, amount: number): number {
    return this.sale ? this.graph.out(leg, amount) : this.graph.in(leg, amount);
  }

  /** Debt for collateral, on average of what is known; 0 where it cannot be reached. */
  private price(reached: number, known: number): number {
    return this.sale ? reached / known : known / reached;
  }

  /** What the last bit of the whole amount brings on a path: debt for collateral; 0 where the path cannot. */
  private lastPrice(path: Path): number {
    const part = this.whole * LAST_PART;
    const all = this.walk(path, this.whole);
    if (!(all > 0 && all < Infinity)) return 0;
    const last = all - this.walk(path, this.whole - part);
    return this.price(last, part);
  }

  private walk(path: Path, amount: number): number {
    let reached = amount;
    for (const leg of this.sale ? path : path.toReversed()) reached = this.through(leg, reached);
    return reached;
  }
}
