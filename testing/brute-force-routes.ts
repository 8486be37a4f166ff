/** The best plan of a trade by trying everything: an independent yardstick for src/routes/. */
import type { Address } from '../src/domain/hex.js';
import type { Pool } from '../src/liquidity/pool.js';
import type { Form } from '../src/routes/form.js';
import type { Sized, Trade } from '../src/routes/trade.js';

interface Step {
  readonly pool: Pool;
  readonly tokenIn: Address;
}
type Road = readonly Step[];

/** All ways of at most three pools in which no token comes twice. */
export function roads(pools: readonly Pool[], from: Address, to: Address, before: Road = []): Road[] {
  if (before.length === 3) return [];
  const visited = before.map(({ tokenIn }) => tokenIn);
  return pools.flatMap((pool) => {
    if (!pool.tokens.includes(from)) return [];
    const other = pool.tokens[0] === from ? pool.tokens[1] : pool.tokens[0];
    if (visited.includes(other)) return [];
    const road = [...before, { pool, tokenIn: from }];
    return other === to ? [road] : roads(pools, other, to, road);
  });
}

export interface BruteForce {
  /** Units of the profit token, after gas, exact; 0 where nothing pays. */
  readonly netProfit: bigint;
  readonly debtToCover: bigint;
  readonly roads: readonly Road[];
  readonly share: number;
}

const AMOUNTS = 200;
const SHARES = 100;

/**
 * 200 amounts and all edges, all roads, all splits of two roads in steps of 1 %. Roads that meet in a pool
 * are split only in a sale, in steps of 10 % and at every tenth amount, because they must be walked together.
 */
export function bruteForce(pools: readonly Pool[], trade: Trade, form: Form): BruteForce {
  const usable = form.kind === 'sale' ? pools : pools.filter(({ lends }) => lends);
  const all = roads(usable, trade.collateral, trade.debt);
  let best: BruteForce = { netProfit: 0n, debtToCover: 0n, roads: [], share: 1 };
  for (const { debtToCover, size, wide } of amountsOf(trade)) {
    const results = all.map((road) => resultsOf(road, size, form));
    let [value, first, second, share] = [-Infinity, 0, -1, SHARES];
    const take = (a: number, b: number, of: number, result: number): void => {
      const hops = all[a]!.length + (b < 0 ? 0 : all[b]!.length);
      const net = result - hops * Number(form.hopCost);
      if (net > value) [value, first, second, share] = [net, a, b, of];
    };
    for (let a = 0; a < all.length; a += 1) {
      take(a, -1, SHARES, results[a]!(SHARES));
      for (let b = a + 1; b < all.length; b += 1) {
        const meeting = meet(all[a]!, all[b]!);
        if (meeting && (form.kind === 'flash-swap' || !wide)) continue;
        for (let of = meeting ? 10 : 1; of < SHARES; of += meeting ? 10 : 1)
          take(
            a,
            b,
            of,
            meeting ? soldTogether(all[a]!, all[b]!, size, of) : results[a]!(of) + results[b]!(SHARES - of),
          );
      }
    }
    if (value === -Infinity) continue;
    const used = second < 0 ? [all[first]!] : [all[first]!, all[second]!];
    const netProfit = exactProfit(used, share, size, form);
    if (netProfit !== undefined && netProfit > best.netProfit)
      best = { netProfit, debtToCover, roads: used, share };
  }
  return best;
}

function amountsOf(trade: Trade): { debtToCover: bigint; size: Sized; wide: boolean }[] {
  const steps = Array.from({ length: AMOUNTS }, (_, k) => (trade.most * BigInt(k + 1)) / BigInt(AMOUNTS));
  return [...steps, ...trade.edges].flatMap((debtToCover, index) => {
    const size = debtToCover < trade.least ? undefined : trade.size(debtToCover);
    return size ? [{ debtToCover, size, wide: index % 10 === 9 || index >= AMOUNTS }] : [];
  });
}

/** What a road gives, or minus what it takes, for each share of an amount; computed when it is needed. */
function resultsOf(road: Road, size: Sized, { kind }: Form): (share: number) => number {
  const known = new Float64Array(SHARES + 1).fill(NaN);
  const amount = Number(kind === 'sale' ? size.collateralSeized : size.debtToFund);
  const walk = (share: number): number => {
    let left = (amount * share) / SHARES;
    if (kind === 'sale') {
      for (const { pool, tokenIn } of road) left = left > 0 ? pool.estimateOut(tokenIn, left) : 0;
      return left > 0 ? left : -Infinity;
    }
    for (const { pool, tokenIn } of road.toReversed())
      left = left < Infinity ? pool.estimateIn(tokenIn, left) : Infinity;
    return -left;
  };
  return (share) => (Number.isNaN(known[share]!) ? (known[share] = walk(share)) : known[share]!);
}

function soldTogether(a: Road, b: Road, size: Sized, share: number): number {
  const got = sold([a, b], share, size.collateralSeized);
  return got === undefined ? -Infinity : Number(got);
}

function meet(a: Road, b: Road): boolean {
  return a.some(({ pool }) => b.some((other) => other.pool === pool));
}

function exactProfit(used: readonly Road[], share: number, size: Sized, form: Form): bigint | undefined {
  const gas = BigInt(used.flat().length) * form.hopCost;
  if (form.kind === 'sale') {
    const got = sold(used, share, size.collateralSeized);
    const fee = (size.debtToFund * form.loanFeeBps + 9_999n) / 10_000n;
    return got === undefined ? undefined : got - size.debtToFund - fee - gas;
  }
  let [taken, left] = [0n, size.debtToFund];
  for (const [index, road] of used.entries()) {
    let amount = index === used.length - 1 ? left : (size.debtToFund * BigInt(share)) / BigInt(SHARES);
    left -= amount;
    for (const { pool, tokenIn } of road.toReversed()) {
      const swap = pool.swapOut(tokenIn, amount);
      if (!swap) return undefined;
      amount = swap.amountIn;
    }
    taken += amount;
  }
  return size.collateralSeized - taken - gas;
}

function sold(used: readonly Road[], share: number, amountIn: bigint): bigint | undefined {
  const state = new Map<Address, Pool>();
  let [got, held] = [0n, amountIn];
  for (const [index, road] of used.entries()) {
    let amount = index === used.length - 1 ? held : (held * BigInt(share)) / BigInt(SHARES);
    held -= amount;
    for (const { pool, tokenIn } of road) {
      const swap = (state.get(pool.address) ?? pool).swapIn(tokenIn, amount);
      if (!swap) return undefined;
      state.set(pool.address, swap.after);
      amount = swap.amountOut;
    }
    got += amount;
  }
  return got;
}
