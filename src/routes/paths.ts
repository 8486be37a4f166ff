import type { FormKind } from './form.js';
import { poolOfLeg, type PoolGraph } from './pool-graph.js';

/** The most swaps one after the other. */
export const MOST_HOPS = 3;

/** The legs in the order of the swaps: the first one takes the collateral. */
export type Path = readonly number[];

/** What is looked for between two tokens, which are numbered as in the graph. */
export interface Search {
  readonly kind: FormKind;
  readonly collateral: number;
  readonly debt: number;
  /** Gas of one hop, in units of the profit token. */
  readonly hopCost: number;
}

/** How many ways to each token are followed after the first, and after the second hop. */
const WAYS_KEPT = [3, 4];
/** Paths that share no pool with a better one: what a split is made of. */
const DISJOINT_PATHS = 4;
const MOST_PATHS = 8;
/** Paths are looked for at these parts of an amount, in halvings: a split uses them at less than all. */
const HALVINGS = [0, 1, 2, 3];
/** Beyond the error of the prices of small amounts. */
const PRICE_TOLERANCE = 0.001;
/** Of an amount, taken as its last bit. */
const LAST_PART = 1 / 32;

/** A token that is reached, from the side where the amount is known. */
interface Reached {
  readonly token: number;
  readonly amount: number;
  /** Debt for collateral at small amounts, of the legs so far. */
  readonly price: number;
  readonly leg: number;
  readonly before: Reached | undefined;
}

interface Arrived {
  readonly at: Reached;
  readonly value: number;
}

/** Finds the paths that are worth trying in one state of the pools. */
export class PathFinder {
  private readonly paths = new Map<string, readonly Path[]>();
  private readonly prices = new Map<number, readonly Float64Array[]>();

  constructor(private readonly graph: PoolGraph) {}

  /** For an amount of collateral that is sold, or of debt that is bought, and for parts of it. */
  worthTrying(search: Search, amount: number): readonly Path[] {
    const octave = Math.ceil(Math.log2(amount));
    const found = new Map<string, Path>();
    for (const halvings of HALVINGS)
      for (const path of this.at(search, octave, halvings)) found.set(path.join(), path);
    return [...found.values()];
  }

  /** The best price of small amounts on any path, debt units for a collateral unit; 0 where there is none. */
  bestPrice({ kind, collateral, debt }: Search): number {
    const [from, to] = kind === 'sale' ? [collateral, debt] : [debt, collateral];
    return this.pricesTo(kind, to)[MOST_HOPS]?.[from] ?? 0;
  }

  private at(search: Search, octave: number, halvings: number): readonly Path[] {
    const { kind, collateral, debt, hopCost } = search;
    const key = `${kind}-${collateral}-${debt}-${octave}-${halvings}-${hopCost}`;
    let paths = this.paths.get(key);
    if (!paths) this.paths.set(key, (paths = this.best(search, 2 ** (octave - halvings), 2 ** octave)));
    return paths;
  }

  /**
   * The best paths of at most {@link MOST_HOPS} hops for a part of an amount, in floats. Parallel pools are
   * different paths. Ways that are far behind at a token on the way are cut, and those whose very first unit
   * is dearer than the last unit of the whole on a path that is known: no part of it should go there.
   */
  private best(search: Search, amount: number, whole: number): Path[] {
    const { kind, hopCost } = search;
    const { graph } = this;
    const sale = kind === 'sale';
    const [start, target] = sale ? [search.collateral, search.debt] : [search.debt, search.collateral];
    const prices = this.pricesTo(kind, target);
    const arrived: Arrived[] = [];
    let bestAverage = 0;
    let worstPrice = 0;
    let frontier: Reached[] = [{ token: start, amount, price: 1, leg: -1, before: undefined }];
    for (let hop = 1; hop <= MOST_HOPS; hop += 1) {
      const ahead = prices[MOST_HOPS - hop];
      const kept = new Map<number, Reached[]>();
      for (const here of frontier) {
        for (const link of graph.between(here.token, target)) {
          if (!sale && !graph.lends(link.pool)) continue;
          const leg = sale ? link.sells : link.buys;
          const price = here.price * graph.price(leg);
          if (price < worstPrice) continue;
          const reached = sale ? graph.out(leg, here.amount) : graph.in(leg, here.amount);
          if (!(reached > 0 && reached < Infinity)) continue;
          const at = { token: target, amount: reached, price, leg, before: here };
          arrived.push({ at, value: (sale ? reached : -reached) - hopCost * hop });
          const average = sale ? reached / amount : amount / reached;
          if (average <= bestAverage) continue;
          bestAverage = average;
          worstPrice = Math.max(worstPrice, this.lastPrice(at, whole, kind) * (1 - PRICE_TOLERANCE));
        }
      }
      if (hop === MOST_HOPS) break;
      for (const here of frontier) {
        for (const link of graph.from(here.token)) {
          if (link.other === target || wasAt(here, link.other)) continue;
          if (!sale && !graph.lends(link.pool)) continue;
          const leg = sale ? link.sells : link.buys;
          const price = here.price * graph.price(leg);
          const atBest = price * (ahead?.[link.other] ?? 0);
          if (!(atBest > worstPrice)) continue;
          const reached = sale ? graph.out(leg, here.amount) : graph.in(leg, here.amount);
          if (reached > 0 && reached < Infinity)
            keep(
              kept,
              { token: link.other, amount: reached, price, leg, before: here },
              WAYS_KEPT[hop - 1] ?? 0,
              sale,
            );
        }
      }
      frontier = [...kept.values()].flat();
    }
    const ordered = arrived
      .filter(({ at }) => at.price >= worstPrice)
      .sort((a, b) => b.value - a.value)
      .map(({ at }) => (sale ? legsOf(at) : legsOf(at).reverse()));
    return selection(ordered);
  }

  /** What the last bit of an amount brings on a path: debt for collateral; 0 where the path cannot. */
  private lastPrice(arrived: Reached, amount: number, kind: FormKind): number {
    const legs = legsOf(arrived);
    const part = amount * LAST_PART;
    let [all, rest] = [amount, amount - part];
    for (const leg of legs) {
      all = kind === 'sale' ? this.graph.out(leg, all) : this.graph.in(leg, all);
      rest = kind === 'sale' ? this.graph.out(leg, rest) : this.graph.in(leg, rest);
    }
    if (!(all > 0 && all < Infinity)) return 0;
    return kind === 'sale' ? (all - rest) / part : part / (all - rest);
  }

  /**
   * By number of hops and token: the best price of small amounts between the token and the target, debt for
   * collateral. A path back over the same token is never better, unless there is money lying about.
   */
  private pricesTo(kind: FormKind, target: number): readonly Float64Array[] {
    const key = kind === 'sale' ? 2 * target : 2 * target + 1;
    const known = this.prices.get(key);
    if (known) return known;
    const { graph } = this;
    const none = new Float64Array(graph.tokens);
    none[target] = 1;
    const byHops = [none];
    for (let hop = 1; hop <= MOST_HOPS; hop += 1) {
      const before = byHops[hop - 1] ?? none;
      const prices = before.slice();
      for (let token = 0; token < graph.tokens; token += 1) {
        const ahead = before[token] ?? 0;
        if (ahead === 0) continue;
        for (const link of graph.from(token)) {
          if (kind === 'flash-swap' && !graph.lends(link.pool)) continue;
          // Seen from the far side: what is sold there is bought here.
          const price = graph.price(kind === 'sale' ? link.buys : link.sells) * ahead;
          if (price > (prices[link.other] ?? 0)) prices[link.other] = price;
        }
      }
      byHops.push(prices);
    }
    this.prices.set(key, byHops);
    return byHops;
  }
}

function wasAt(here: Reached, token: number): boolean {
  for (let at: Reached | undefined = here; at; at = at.before) if (at.token === token) return true;
  return false;
}

/** Adds it to the best ways to its token, of which the first is the best. */
function keep(kept: Map<number, Reached[]>, reached: Reached, most: number, more: boolean): void {
  const own = kept.get(reached.token);
  if (!own) {
    kept.set(reached.token, [reached]);
    return;
  }
  let at = own.length;
  for (; at > 0; at -= 1) {
    const other = own[at - 1]?.amount ?? 0;
    if (more ? reached.amount <= other : reached.amount >= other) break;
  }
  if (at >= most) return;
  own.splice(at, 0, reached);
  if (own.length > most) own.pop();
}

/** In the order in which they were found. */
function legsOf(reached: Reached): number[] {
  const legs: number[] = [];
  for (let at = reached; at.before; at = at.before) legs.unshift(at.leg);
  return legs;
}

/** Whether a pool stands in both. */
export function meet(a: Path, b: Path): boolean {
  for (const leg of a) for (const other of b) if (poolOfLeg(leg) === poolOfLeg(other)) return true;
  return false;
}

/** The best ones, and the best ones that share no pool with those before them. */
function selection(ordered: readonly Path[]): Path[] {
  const disjoint: Path[] = [];
  for (const path of ordered) {
    if (disjoint.length === DISJOINT_PATHS) break;
    if (!disjoint.some((other) => meet(path, other))) disjoint.push(path);
  }
  const rest = ordered.filter((path) => !disjoint.includes(path));
  return [...disjoint, ...rest.slice(0, MOST_PATHS - disjoint.length)];
}
