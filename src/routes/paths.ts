import type { FormKind } from './form.js';
import { meet, MOST_HOPS, type Path, type Search } from './path.js';
import { PathSweep, type ValuedPath } from './path-sweep.js';
import type { PoolGraph } from './pool-graph.js';
import { Prices } from './prices.js';
import { amountOf, Rankings, sizeOf, type TokenNumbers } from './rankings.js';
import { Ways } from './ways.js';

/** Paths that share no pool with a better one: what a split is made of. */
const DISJOINT_PATHS = 4;
const MOST_PATHS = 8;
/** Paths are looked for at a 16th of an amount too: a split uses them at less than all. */
const SIZES_BELOW = [2];
/** So for an amount that moves the price far: at a quarter, a 16th and a 64th. */
const MANY_SIZES_BELOW = [1, 2, 3];
const NO_PRICES = new Float64Array(0);
/** A price of which more than this is left is called unmoved. */
const UNMOVED = 0.9997;
/** A price of which less than this is left is called moved far. */
const MOVED_FAR = 0.8;

/**
 * Finds the paths that are worth trying in one state of the pools, in floats. Parallel pools are different
 * paths.
 */
export class PathFinder {
  private readonly known = new Map<string, readonly Path[]>();
  private readonly ways = new Map<string, Ways>();
  private readonly prices: Prices;

  private constructor(
    private readonly graph: PoolGraph,
    private readonly rankings: { readonly [Kind in FormKind]: Rankings },
  ) {
    this.prices = new Prices(graph);
  }

  static of(graph: PoolGraph): PathFinder {
    return new PathFinder(graph, {
      sale: new Rankings(graph, 'sale'),
      'flash-swap': new Rankings(graph, 'flash-swap'),
    });
  }

  /** Of the same pools, after those between these tokens changed. */
  after(graph: PoolGraph, changed: readonly TokenNumbers[]): PathFinder {
    const { rankings } = this;
    return new PathFinder(graph, {
      sale: rankings.sale.after(graph, changed),
      'flash-swap': rankings['flash-swap'].after(graph, changed),
    });
  }

  /** For an amount of collateral that is sold, or of debt that is bought, and for parts of it. */
  worthTrying(search: Search, amount: number): readonly Path[] {
    const { kind, collateral, debt, hopCost } = search;
    const size = sizeOf(amount);
    const key = `${kind}-${collateral}-${debt}-${size}-${hopCost}`;
    let paths = this.known.get(key);
    if (!paths) this.known.set(key, (paths = this.atParts(search, size)));
    return paths;
  }

  /** The best price of small amounts on any path, debt units for a collateral unit; 0 where there is none. */
  bestPrice(search: Pick<Search, 'kind' | 'collateral' | 'debt'>): number {
    const start = search.kind === 'sale' ? search.collateral : search.debt;
    return this.prices.of(search)[MOST_HOPS]?.[start] ?? 0;
  }

  private atParts(search: Search, size: number): readonly Path[] {
    const { kind, collateral, debt } = search;
    const ahead = this.prices.of(search)[1] ?? NO_PRICES;
    const sweep = new PathSweep(this.graph, search, this.rankings[kind], ahead, 2 * amountOf(size));
    const start = kind === 'sale' ? collateral : debt;
    const at = (of: number): Path[] =>
      selection(sweep.at(amountOf(of), this.waysFrom(kind, start, of)), sweep);
    const found = at(size);
    // Where the whole amount does not move the price, its parts go the same ways.
    const left = sweep.worstPrice / this.bestPrice(search);
    if (left > UNMOVED) return found;
    for (const below of left < MOVED_FAR ? MANY_SIZES_BELOW : SIZES_BELOW)
      for (const path of below > size ? [] : at(size - below))
        if (!found.some((other) => isSame(path, other))) found.push(path);
    return found;
  }

  private waysFrom(kind: FormKind, start: number, size: number): Ways {
    const key = `${kind}-${start}-${size}`;
    let ways = this.ways.get(key);
    if (!ways) {
      ways = Ways.from(this.graph, this.rankings[kind], kind, start, amountOf(size));
      this.ways.set(key, ways);
    }
    return ways;
  }
}

function isSame(a: Path, b: Path): boolean {
  return a.length === b.length && a.every((leg, hop) => leg === b[hop]);
}

/** The best ones, and the best ones that share no pool with those before them. */
function selection(valued: ValuedPath[], sweep: PathSweep): Path[] {
  valued.sort((a, b) => b.value - a.value);
  const paths: Path[] = [];
  const selected: Path[] = [];
  for (const one of valued) {
    if (selected.length === DISJOINT_PATHS) break;
    const path = sweep.pathOf(one);
    paths.push(path);
    if (!selected.some((other) => meet(path, other))) selected.push(path);
  }
  const disjoint = selected.length;
  for (let place = 0; place < valued.length && selected.length < MOST_PATHS; place += 1) {
    const one = valued[place];
    const path = paths[place] ?? (one && sweep.pathOf(one));
    if (path && !selected.slice(0, disjoint).includes(path)) selected.push(path);
  }
  return selected;
}
