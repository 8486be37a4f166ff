import { MOST_HOPS, type Path, type Search } from './path.js';
import type { PoolGraph } from './pool-graph.js';
import { octaveOf, type Rankings } from './rankings.js';

export interface ValuedPath {
  readonly path: Path;
  /** What is got, or minus what is taken, less the gas of the hops. */
  readonly value: number;
  /** On average of the amount, debt for collateral. */
  readonly price: number;
}

/** A token that is reached, from the side where the amount is known. */
interface Reached {
  readonly token: number;
  readonly amount: number;
  readonly leg: number;
  readonly before: Reached | undefined;
}

/** How many ways to each token are followed after the first, and after the second hop. */
const WAYS_KEPT = [2, 3];
/** How many parallel pools are tried from the best way to a token, and from others. */
const POOLS_TRIED = [2, 1];
/** Beyond the error of the prices of small amounts. */
const PRICE_TOLERANCE = 0.001;
/** Of an amount, taken as its last bit. */
const LAST_PART = 1 / 32;

/**
 * Sweeps over the graph from the side where the amount is known, hop by hop, for one amount and parts of it.
 * Ways are cut that are far behind at a token, and those that are dearer than the last unit of the whole
 * amount on a path that is known: no part of it should go there.
 */
export class PathSweep {
  /** What the last bit of the whole amount brings on the best path so far, debt for collateral. */
  worstPrice = 0;
  private bestPrice = 0;
  private readonly sale: boolean;
  private readonly start: number;
  private readonly target: number;

  /**
   * @param ahead by hops and token: the best price from there to the target.
   * @param whole units of the token whose amount is known.
   */
  constructor(
    private readonly graph: PoolGraph,
    private readonly search: Search,
    private readonly rankings: Rankings,
    private readonly ahead: readonly Float64Array[],
    private readonly whole: number,
  ) {
    this.sale = search.kind === 'sale';
    [this.start, this.target] = this.sale
      ? [search.collateral, search.debt]
      : [search.debt, search.collateral];
  }

  /** The best paths for a part of the amount, in any order. */
  at(part: number): ValuedPath[] {
    const amount = this.whole * part;
    const arrived: ValuedPath[] = [];
    let frontier: Reached[] = [{ token: this.start, amount, leg: -1, before: undefined }];
    for (let hop = 1; hop <= MOST_HOPS; hop += 1) {
      for (const here of frontier) this.arrive(here, amount, hop, arrived);
      if (hop < MOST_HOPS) frontier = this.onward(frontier, amount, hop);
    }
    return arrived.filter(({ price }) => price >= this.worstPrice);
  }

  private arrive(here: Reached, amount: number, hop: number, arrived: ValuedPath[]): void {
    const { graph, sale, search } = this;
    const price = this.price(here.amount, amount);
    for (const link of graph.between(here.token, this.target)) {
      if (!sale && !graph.lends(link.pool)) continue;
      const leg = sale ? link.sells : link.buys;
      if (price * graph.price(leg) < this.worstPrice) continue;
      const reached = this.through(leg, here.amount);
      const average = this.price(reached, amount);
      if (average === 0 || average < this.worstPrice) continue;
      const legs = legsTo(here, leg);
      const path = sale ? legs : legs.reverse();
      arrived.push({ path, price: average, value: (sale ? reached : -reached) - search.hopCost * hop });
      if (average <= this.bestPrice) continue;
      this.bestPrice = average;
      this.worstPrice = Math.max(this.worstPrice, this.lastPrice(path) * (1 - PRICE_TOLERANCE));
    }
  }

  /** The best ways to each token, one hop further. */
  private onward(frontier: readonly Reached[], amount: number, hop: number): Reached[] {
    const { graph, sale, rankings, target } = this;
    const most = WAYS_KEPT[hop - 1] ?? 0;
    const ahead = this.ahead[MOST_HOPS - hop];
    const kept: Reached[][] = [];
    let before = -1;
    for (const here of frontier) {
      const tried = POOLS_TRIED[here.token === before ? 1 : 0] ?? 1;
      before = here.token;
      const octave = octaveOf(here.amount);
      // The least price from here to the target with which a path can still be good enough.
      const needed = this.worstPrice / this.price(here.amount, amount);
      for (const other of graph.neighbours(here.token)) {
        if (other === target || wasAt(here, other)) continue;
        const enough = needed / (ahead?.[other] ?? 0);
        if (!(enough < Infinity)) continue;
        const links = rankings.best(here.token, other, octave);
        const ways = (kept[other] ??= []);
        for (let rank = 0; rank < tried && rank < links.length; rank += 1) {
          const leg = (sale ? links[rank]?.sells : links[rank]?.buys) ?? -1;
          const price = graph.price(leg);
          if (price < enough) continue;
          const last = ways.length < most ? undefined : ways[most - 1]?.amount;
          // By the price of small amounts, which no other one is better than.
          if (last !== undefined && (sale ? here.amount * price <= last : here.amount / price >= last))
            continue;
          const reached = this.through(leg, here.amount);
          if (!(reached > 0 && reached < Infinity)) continue;
          if (last !== undefined && (sale ? reached <= last : reached >= last)) continue;
          keep(ways, { token: other, amount: reached, leg, before: here }, most, sale);
        }
      }
    }
    return kept.flat();
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

function wasAt(here: Reached, token: number): boolean {
  for (let at: Reached | undefined = here; at; at = at.before) if (at.token === token) return true;
  return false;
}

/** Adds it to the best ways to a token, of which the first is the best. */
function keep(ways: Reached[], reached: Reached, most: number, more: boolean): void {
  let at = ways.length;
  for (; at > 0; at -= 1) {
    const other = ways[at - 1]?.amount ?? 0;
    if (more ? reached.amount <= other : reached.amount >= other) break;
  }
  ways.splice(at, 0, reached);
  if (ways.length > most) ways.pop();
}

/** In the order in which they were found, with one more. */
function legsTo(reached: Reached, last: number): number[] {
  const legs = [last];
  for (let at = reached; at.before; at = at.before) legs.push(at.leg);
  return legs.reverse();
}
