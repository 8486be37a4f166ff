import type { Address } from '../domain/hex.js';
import { BPS } from '../domain/money.js';
import type { Route, RoutePart } from '../domain/route.js';
import type { Pool, Swap } from '../liquidity/pool.js';
import type { Path } from './path.js';
import { poolOfLeg, sideOfLeg, type PoolGraph } from './pool-graph.js';

/** A route with what it takes and gives, to the unit, if nothing else trades before. */
export interface Exit {
  /** Without parts where collateral and debt are the same token. */
  readonly route: Route;
  /**
   * What each part sells of the collateral that is there when its turn comes, in basis points: the operand of
   * SELL. The last one sells all of the rest. Empty for a flash swap, whose parts buy exact amounts.
   */
  readonly sharesBps: readonly bigint[];
  /** Collateral units that all parts take. */
  readonly amountIn: bigint;
  /** Debt units that all parts give. */
  readonly amountOut: bigint;
  readonly hops: number;
  /** Whether every pool lends. */
  readonly lends: boolean;
  /** The pools of the route after it, by address. */
  readonly changed: ReadonlyMap<Address, Pool>;
}

/** Collateral and debt are the same token: what was seized repays the loan. */
export const NO_EXIT: Exit = {
  route: { parts: [] },
  sharesBps: [],
  amountIn: 0n,
  amountOut: 0n,
  hops: 0,
  lends: false,
  changed: new Map(),
};

/** The pools of a graph, and what the swaps so far made of them. */
class Trades {
  readonly changed = new Map<Address, Pool>();
  lends = true;

  constructor(private readonly graph: PoolGraph) {}

  /** @returns undefined where the pool cannot. */
  make(leg: number, swap: (pool: Pool, tokenIn: Address) => Swap | undefined): Swap | undefined {
    const original = this.graph.pool(poolOfLeg(leg));
    const pool = this.changed.get(original.address) ?? original;
    const made = swap(pool, pool.tokens[sideOfLeg(leg)]);
    if (!made) return undefined;
    this.changed.set(pool.address, made.after);
    this.lends &&= pool.lends;
    return made;
  }

  /** @param swaps of the path, in its order. */
  hops(path: Path, swaps: readonly Swap[]): RoutePart['hops'] {
    return path.map((leg, index) => {
      const pool = this.graph.pool(poolOfLeg(leg));
      return pool.hop(pool.tokens[sideOfLeg(leg)], swaps[index]?.amountOut ?? 0n);
    });
  }

  exit(parts: readonly RoutePart[], sharesBps: readonly bigint[]): Exit {
    return {
      route: { parts },
      sharesBps,
      amountIn: parts.reduce((sum, { quotedInput }) => sum + quotedInput, 0n),
      amountOut: parts.reduce((sum, { output }) => sum + output, 0n),
      hops: parts.reduce((sum, { hops }) => sum + hops.length, 0),
      lends: this.lends,
      changed: this.changed,
    };
  }
}

/**
 * Buys exactly these amounts of debt, each over its path, as BUY and BUY_ON do (Swaps.sol `_buyExactly`): the
 * last pool is asked first, each pool before it gives what the next one wants.
 *
 * @returns undefined where a pool cannot, or would be needed twice: it is locked until it is paid.
 */
export function buyExactly(
  graph: PoolGraph,
  paths: readonly Path[],
  amounts: readonly bigint[],
): Exit | undefined {
  const trades = new Trades(graph);
  const parts: RoutePart[] = [];
  for (const [index, path] of paths.entries()) {
    const output = amounts[index] ?? 0n;
    if (output <= 0n) return undefined;
    let amount = output;
    const swaps: Swap[] = [];
    for (const leg of path.toReversed()) {
      if (trades.changed.has(graph.pool(poolOfLeg(leg)).address)) return undefined;
      const swap = trades.make(leg, (pool, tokenIn) => pool.swapOut(tokenIn, amount));
      if (!swap) return undefined;
      swaps.unshift(swap);
      amount = swap.amountIn;
    }
    parts.push({ quotedInput: amount, output, hops: trades.hops(path, swaps) });
  }
  return trades.exit(parts, []);
}

/**
 * Sells all of `amountIn` collateral units, in parts that come as close to these amounts as basis points of
 * what is left can: held * share / 10,000, rounded down (Swaps.sol `_sell`). Parts that meet in a pool are
 * computed one after the other.
 *
 * @param wanted floats, one for each path; only their proportions count.
 * @returns undefined where a pool cannot.
 */
export function sellAll(
  graph: PoolGraph,
  paths: readonly Path[],
  wanted: readonly number[],
  amountIn: bigint,
): Exit | undefined {
  const trades = new Trades(graph);
  const parts: RoutePart[] = [];
  const sharesBps: bigint[] = [];
  let held = amountIn;
  let wantedLeft = wanted.reduce((sum, one) => sum + one, 0);
  for (const [index, path] of paths.entries()) {
    const last = index === paths.length - 1;
    const own = wanted[index] ?? 0;
    const shareBps = last ? BPS : BigInt(Math.round((own / wantedLeft) * Number(BPS)));
    const quotedInput = (held * shareBps) / BPS;
    if (quotedInput <= 0n) return undefined;
    wantedLeft -= own;
    held -= quotedInput;
    let amount = quotedInput;
    const swaps: Swap[] = [];
    for (const leg of path) {
      const swap = trades.make(leg, (pool, tokenIn) => pool.swapIn(tokenIn, amount));
      if (!swap) return undefined;
      swaps.push(swap);
      amount = swap.amountOut;
    }
    parts.push({ quotedInput, output: amount, hops: trades.hops(path, swaps) });
    sharesBps.push(shareBps);
  }
  return trades.exit(parts, sharesBps);
}
