import type { FormKind } from './form.js';
import { meet, MOST_HOPS, type Path, type Search } from './path.js';
import { PathSweep, type ValuedPath } from './path-sweep.js';
import type { PoolGraph } from './pool-graph.js';
import { Prices } from './prices.js';
import { Rankings, type TokenNumbers } from './rankings.js';

/** Paths that share no pool with a better one: what a split is made of. */
const DISJOINT_PATHS = 4;
const MOST_PATHS = 8;
/** Paths are looked for at these parts of an amount too: a split uses them at less than all. */
const PARTS = [1 / 5, 1 / 40];
/** A price that falls by less is called unmoved. */
const UNMOVED = 0.9997;

/**
 * Finds the paths that are worth trying in one state of the pools, in floats. Parallel pools are different
 * paths.
 */
export class PathFinder {
  private readonly known = new Map<string, readonly Path[]>();
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
    const octave = Math.ceil(Math.log2(amount));
    const key = `${kind}-${collateral}-${debt}-${octave}-${hopCost}`;
    let paths = this.known.get(key);
    if (!paths) this.known.set(key, (paths = this.atParts(search, 2 ** octave)));
    return paths;
  }

  /** The best price of small amounts on any path, debt units for a collateral unit; 0 where there is none. */
  bestPrice(search: Pick<Search, 'kind' | 'collateral' | 'debt'>): number {
    const start = search.kind === 'sale' ? search.collateral : search.debt;
    return this.prices.of(search)[MOST_HOPS]?.[start] ?? 0;
  }

  private atParts(search: Search, amount: number): readonly Path[] {
    const ahead = this.prices.of(search);
    const sweep = new PathSweep(this.graph, search, this.rankings[search.kind], ahead, amount);
    const found = selection(sweep.at(1));
    // Where the whole amount does not move the price, its parts go the same ways.
    if (sweep.worstPrice > this.bestPrice(search) * UNMOVED) return found;
    for (const part of PARTS)
      for (const path of selection(sweep.at(part)))
        if (!found.some((other) => isSame(path, other))) found.push(path);
    return found;
  }
}

function isSame(a: Path, b: Path): boolean {
  return a.length === b.length && a.every((leg, hop) => leg === b[hop]);
}

/** The best ones, and the best ones that share no pool with those before them. */
function selection(valued: readonly ValuedPath[]): Path[] {
  const ordered = valued
    .filter(({ value }) => value > -Infinity)
    .sort((a, b) => b.value - a.value)
    .map(({ path }) => path);
  const disjoint: Path[] = [];
  for (const path of ordered) {
    if (disjoint.length === DISJOINT_PATHS) break;
    if (!disjoint.some((other) => meet(path, other))) disjoint.push(path);
  }
  for (const path of ordered) {
    if (disjoint.length === MOST_PATHS) break;
    if (!disjoint.includes(path)) disjoint.push(path);
  }
  return disjoint;
}
