import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../devnet/random.js';
import { bruteForce } from '../../testing/brute-force-routes.js';
import { poolWorld, randomTrade, type PoolWorld } from '../../testing/builders/pool-worlds.js';
import type { Address } from '../domain/hex.js';
import { poolsOf } from '../domain/route.js';
import type { Pool } from '../liquidity/pool.js';
import type { Exit } from './exit.js';
import type { Form } from './form.js';
import { Router } from './router.js';
import type { Plan, Trade } from './trade.js';

/** ROUTES_WORLDS=1000 makes the searches longer. Each world is made of its number, which a failure names. */
const WORLDS = Number(process.env['ROUTES_WORLDS'] ?? 40);
/** A world in which a search found 97.7 % once. */
const HARD_WORLDS = [295];
/** What one hop more costs. */
const HOP_USD = 0.02;

interface Situation {
  readonly world: PoolWorld;
  readonly trade: Trade;
  readonly form: Form;
  readonly plan: Plan | undefined;
}

function situation(seed: number, kind: Form['kind']): Situation {
  const random = new SeededRandom(seed);
  const [tokens, pools] = [random.integer(2, 6), random.integer(1, 12)];
  const concentrated = [0, 0.5, 1][seed % 3]!;
  const world = poolWorld(random, { tokens, pools, concentrated, unlending: 0.2 });
  const trade = randomTrade(random, world, random.magnitude(100, 2e6));
  const profitToken = kind === 'sale' ? trade.debt : trade.collateral;
  const { unitUsd } = world.tokens.find(({ address }) => address === profitToken)!;
  const hopCost = BigInt(Math.ceil(HOP_USD / unitUsd));
  const form: Form = kind === 'sale' ? { kind, hopCost, loanFeeBps: 5n } : { kind, hopCost };
  return { world, trade, form, plan: Router.of(world.pools).best(trade, form) };
}

function everyWorld(kind: Form['kind'], look: (situation: Situation, seed: number) => void): void {
  const seeds = [...Array.from({ length: WORLDS }, (_, seed) => seed), ...HARD_WORLDS];
  for (const seed of seeds) look(situation(seed, kind), seed);
}

/** Swaps as the steps of the contract would, one after the other: what an exit takes and gives. */
function replay(pools: readonly Pool[], exit: Exit, amountIn: bigint): object | undefined {
  const state = new Map(pools.map((pool) => [pool.address, pool]));
  const made = { amountIn: 0n, amountOut: 0n };
  let held = amountIn;
  for (const [index, { output, hops }] of exit.route.parts.entries()) {
    const shareBps = exit.sharesBps[index];
    const sold = shareBps === undefined ? undefined : (held * shareBps) / 10_000n;
    let amount = sold ?? output;
    for (const hop of sold === undefined ? hops.toReversed() : hops) {
      const pool = state.get(hop.pool)!;
      const swap = sold === undefined ? pool.swapOut(hop.tokenIn, amount) : pool.swapIn(hop.tokenIn, amount);
      if (!swap) return undefined;
      state.set(hop.pool, swap.after);
      amount = sold === undefined ? swap.amountIn : swap.amountOut;
    }
    held -= sold ?? 0n;
    made.amountIn += sold ?? amount;
    made.amountOut += sold === undefined ? output : amount;
  }
  return made;
}

describe.each(['flash-swap', 'sale'] as const)('the best plan by %s in random worlds', (kind) => {
  it('is at least 99.5 % of a brute force: 200 amounts, all routes, splits of two in steps of 1 %', () => {
    const below: object[] = [];
    let profitable = 0;
    everyWorld(kind, ({ world, trade, form, plan }, seed) => {
      const { netProfit } = bruteForce(world.pools, trade, form);
      if (netProfit > 0n) profitable += 1;
      const share = netProfit > 0n ? Number(plan?.netProfit ?? 0n) / Number(netProfit) : 1;
      if (share < 0.995) below.push({ seed, share });
    });
    expect(below).toEqual([]);
    expect(profitable).toBeGreaterThan(WORLDS / 4);
  }, 120_000);

  it('does not depend on the order of the pools', () => {
    everyWorld(kind, ({ world, trade, form, plan }, seed) => {
      const shuffled = new SeededRandom(seed).some(world.pools, world.pools.length).reverse();
      expect(Router.of(shuffled).best(trade, form), `seed ${seed}`).toEqual(plan);
    });
  });

  it('is what the pools give, to the unit, when its steps are made one after the other', () => {
    everyWorld(kind, ({ world, trade, form, plan }, seed) => {
      if (!plan) return;
      const { exit, size, profit, netProfit } = plan;
      const made = replay(world.pools, exit, size.collateralSeized);
      const { amountIn, amountOut } = exit;
      expect(made, `seed ${seed}`).toEqual({ amountIn, amountOut });
      if (kind === 'sale') expect(amountIn).toBe(size.collateralSeized);
      else expect(amountOut).toBe(size.debtToFund);
      const fee = (size.debtToFund * 5n + 9_999n) / 10_000n;
      const kept = kind === 'sale' ? amountOut - size.debtToFund - fee : size.collateralSeized - amountIn;
      expect({ profit, netProfit }).toEqual({
        profit: kept,
        netProfit: kept - form.hopCost * BigInt(exit.hops),
      });
      expect(netProfit).toBeGreaterThan(0n);
      expect(size.debtToFund).toBeLessThanOrEqual(trade.most);
    });
  });

  it('has at most three parts of at most three hops, each from the collateral to the debt', () => {
    everyWorld(kind, ({ trade, plan }, seed) => {
      for (const { hops } of plan?.exit.route.parts ?? []) {
        const tokens: Address[] = [...hops.map(({ tokenIn }) => tokenIn), hops.at(-1)!.tokenOut];
        expect([tokens[0], tokens.at(-1)], `seed ${seed}`).toEqual([trade.collateral, trade.debt]);
        expect(hops.slice(1).map(({ tokenIn }) => tokenIn)).toEqual(
          hops.slice(0, -1).map(({ tokenOut }) => tokenOut),
        );
        expect(new Set(tokens).size).toBe(tokens.length);
        expect(hops.length).toBeLessThanOrEqual(3);
      }
      expect(plan?.exit.route.parts.length ?? 0).toBeLessThanOrEqual(3);
    });
  });
});

describe('flash swaps in random worlds', () => {
  it('use only pools that lend, and each of them once, because a pool is locked until it is paid', () => {
    everyWorld('flash-swap', ({ world, plan }, seed) => {
      if (!plan) return;
      const pools = poolsOf(plan.exit.route);
      expect(new Set(pools).size, `seed ${seed}`).toBe(pools.length);
      expect(plan.exit.lends).toBe(true);
      for (const used of pools) expect(world.pools.find(({ address }) => address === used)!.lends).toBe(true);
    });
  });
});
