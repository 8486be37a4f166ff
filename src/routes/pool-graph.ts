import type { Address } from '../domain/hex.js';
import type { Pool } from '../liquidity/pool.js';
import { Curve } from './curve.js';

/** A pool as seen from one of its tokens. Tokens and pools are numbered. */
export interface Link {
  readonly pool: number;
  readonly other: number;
  /** The leg that sells the token to the pool. */
  readonly sells: number;
  /** The leg that buys the token from the pool. */
  readonly buys: number;
}

/** The pool of a leg. Each pool has two legs, one for each token that may go in. */
export function poolOfLeg(leg: number): number {
  return leg >> 1;
}

/** Which of {@link Pool.tokens} goes in. */
export function sideOfLeg(leg: number): 0 | 1 {
  return leg & 1 ? 1 : 0;
}

/** Which pools meet in which tokens. The order of pools and tokens is that of their addresses. */
class Topology {
  readonly indexes = new Map<Address, number>();
  readonly tokens: ReadonlyMap<Address, number>;
  private readonly links: readonly (readonly Link[])[];
  private readonly others: (readonly number[] | undefined)[] = [];
  private readonly direct = new Map<number, readonly Link[]>();

  constructor(pools: readonly Pool[]) {
    const addresses = [...new Set(pools.flatMap(({ tokens }) => tokens))].sort();
    this.tokens = new Map(addresses.map((address, index) => [address, index]));
    const links: Link[][] = addresses.map(() => []);
    for (const [index, pool] of pools.entries()) {
      this.indexes.set(pool.address, index);
      const [first = 0, second = 0] = pool.tokens.map((token) => this.tokens.get(token));
      const [sellsFirst, sellsSecond] = [2 * index, 2 * index + 1];
      links[first]?.push({ pool: index, other: second, sells: sellsFirst, buys: sellsSecond });
      links[second]?.push({ pool: index, other: first, sells: sellsSecond, buys: sellsFirst });
    }
    this.links = links;
  }

  from(token: number): readonly Link[] {
    return this.links[token] ?? [];
  }

  neighbours(token: number): readonly number[] {
    return (this.others[token] ??= [...new Set(this.from(token).map(({ other }) => other))]);
  }

  between(token: number, other: number): readonly Link[] {
    const key = token * this.tokens.size + other;
    let found = this.direct.get(key);
    if (!found) this.direct.set(key, (found = this.from(token).filter((link) => link.other === other)));
    return found;
  }
}

/** Estimates in floats: they only order. A leg is a pool and the token that goes in. */
export interface Estimates {
  /** Units out for units in; 0 where the pool cannot. */
  out(leg: number, amountIn: number): number;
  /** Units in for units out; Infinity where the pool cannot. */
  in(leg: number, amountOut: number): number;
}

/** Asks the pools for each amount. */
class PoolEstimates implements Estimates {
  constructor(private readonly pools: readonly Pool[]) {}

  out(leg: number, amountIn: number): number {
    const pool = this.pools[poolOfLeg(leg)];
    return pool && amountIn > 0 ? pool.estimateOut(pool.tokens[sideOfLeg(leg)], amountIn) : 0;
  }

  in(leg: number, amountOut: number): number {
    if (amountOut === 0) return 0;
    const pool = this.pools[poolOfLeg(leg)];
    return pool && amountOut < Infinity ? pool.estimateIn(pool.tokens[sideOfLeg(leg)], amountOut) : Infinity;
  }
}

/** The pools in their state at one moment, as a graph of tokens. It never changes. */
export class PoolGraph implements Estimates {
  /** Slower than the graph's own estimates, and as good as the pools'. */
  readonly asked: Estimates;

  private constructor(
    private readonly topology: Topology,
    private readonly pools: readonly Pool[],
    private readonly curves: readonly Curve[],
    /** Of small amounts, by leg. */
    private readonly prices: Float64Array,
  ) {
    this.asked = new PoolEstimates(pools);
  }

  static of(pools: Iterable<Pool>): PoolGraph {
    const ordered = [...pools].sort((a, b) => (a.address < b.address ? -1 : 1));
    const curves = ordered.flatMap((pool) => Curve.of(pool));
    const prices = Float64Array.from(curves, ({ price }) => price);
    return new PoolGraph(new Topology(ordered), ordered, curves, prices);
  }

  /** The same pools, some of them in another state. Pools that it does not have are left out. */
  with(changed: ReadonlyMap<Address, Pool>): PoolGraph {
    const pools = [...this.pools];
    const curves = [...this.curves];
    const prices = this.prices.slice();
    for (const pool of changed.values()) {
      const index = this.topology.indexes.get(pool.address);
      if (index === undefined) continue;
      pools[index] = pool;
      for (const [side, curve] of Curve.of(pool).entries()) {
        curves[2 * index + side] = curve;
        prices[2 * index + side] = curve.price;
      }
    }
    return new PoolGraph(this.topology, pools, curves, prices);
  }

  /** How many there are: they are numbered from 0. */
  get tokens(): number {
    return this.topology.tokens.size;
  }

  token(address: Address): number | undefined {
    return this.topology.tokens.get(address);
  }

  from(token: number): readonly Link[] {
    return this.topology.from(token);
  }

  /** The tokens that pools trade for it. */
  neighbours(token: number): readonly number[] {
    return this.topology.neighbours(token);
  }

  between(token: number, other: number): readonly Link[] {
    return this.topology.between(token, other);
  }

  /** @throws RangeError when there is no such pool, which is a bug. */
  pool(index: number): Pool {
    const pool = this.pools[index];
    if (!pool) throw new RangeError(`there is no pool ${index}`);
    return pool;
  }

  lends(pool: number): boolean {
    return this.pools[pool]?.lends ?? false;
  }

  /** Units out for a unit in, for small amounts. */
  price(leg: number): number {
    return this.prices[leg] ?? 0;
  }

  out(leg: number, amountIn: number): number {
    return this.curves[leg]?.out(amountIn) ?? 0;
  }

  in(leg: number, amountOut: number): number {
    return this.curves[leg]?.in(amountOut) ?? Infinity;
  }
}
