/**
 * The best amount and route of each of 100 liquidations, over 300 pools of 12 tokens. The plain way: every
 * route of at most three pools is asked for every edge, and no route is split.
 */
import { percentile } from '../../devnet/demo/totals.js';
import { SeededRandom } from '../../devnet/random.js';
import type { Pool } from '../../src/liquidity/pool.js';
import type { Form } from '../../src/routes/form.js';
import { Router } from '../../src/routes/router.js';
import { inSequence } from '../../src/routes/sequence.js';
import type { Trade } from '../../src/routes/trade.js';
import { roads } from '../../testing/brute-force-routes.js';
import { poolWorld, tradeOf, type PoolWorld } from '../../testing/builders/pool-worlds.js';
import { measurement, timed, type Measurement } from '../state/measurement.js';

const POOLS = 300;
const TOKENS = 12;
const TRADES = 100;
/** What a liquidation is worth: from least to most, each order of magnitude as likely. */
const NOTIONAL_USD = [500, 200_000] as const;
/** What one hop more costs. */
const HOP_USD = 0.02;
const RUNS = 40;
/** Not measured: in the first runs the engine still compiles the code. */
const WARM_UP = 15;

interface Wanted {
  readonly trade: Trade;
  readonly form: Form;
  readonly unitUsd: number;
}

/**
 * `plan.hundred`: nothing is known of the pools from the block before. `.unchanged`: all pools are as they
 * were. `.sequence`: the hundred plans of one pass, each on the state that the plans before it leave.
 */
export function hundred(): Measurement[] {
  const random = new SeededRandom(7);
  const world = poolWorld(random, { tokens: TOKENS, pools: POOLS, concentrated: 0.8, unlending: 0.1 });
  const wanted = Array.from({ length: TRADES }, () => wantedOf(random, world));
  const runs = Array.from({ length: WARM_UP + RUNS }, () => {
    const pools = world.pools.map(unseen);
    const all = (): void => {
      const router = Router.of(pools);
      for (const { trade, form } of wanted) router.best(trade, form);
    };
    return {
      fresh: timed(all),
      unchanged: timed(all),
      sequence: timed(() => [
        ...inSequence(
          Router.of(pools),
          wanted.map((one) => [optionOf(one)]),
        ),
      ]),
    };
  }).slice(WARM_UP);
  const median = (times: readonly number[]): number => percentile(times, 50);
  const plainMs = timed(() => plainly(world.pools, wanted));
  return [
    measurement('plan.hundred', median(runs.map(({ fresh }) => fresh)), 'ms', plainMs),
    measurement('plan.hundred.unchanged', median(runs.map(({ unchanged }) => unchanged)), 'ms', plainMs),
    measurement('plan.hundred.sequence', median(runs.map(({ sequence }) => sequence)), 'ms'),
  ];
}

function wantedOf(random: SeededRandom, world: PoolWorld): Wanted {
  const index = random.integer(0, TOKENS - 1);
  const collateral = world.tokens[index];
  const debt = world.tokens[(index + random.integer(1, TOKENS - 1)) % TOKENS];
  if (!collateral || !debt) throw new Error('a world without tokens');
  const trade = tradeOf(random, collateral, debt, random.magnitude(...NOTIONAL_USD));
  const { unitUsd } = collateral;
  return { trade, form: { kind: 'flash-swap', hopCost: BigInt(Math.ceil(HOP_USD / unitUsd)) }, unitUsd };
}

function optionOf({ trade, form, unitUsd }: Wanted): Parameters<typeof inSequence>[1][number][number] {
  const worth = (netProfit: bigint): bigint => BigInt(Math.floor(Number(netProfit) * unitUsd * 1e8));
  return { trade, form, worth };
}

/** The same pool as another object, so that nothing is known of it. */
function unseen(pool: Pool): Pool {
  return Object.assign(Object.create(Object.getPrototypeOf(pool) as object) as Pool, pool);
}

/** The best collateral that is left of any edge over any single route. */
function plainly(pools: readonly Pool[], wanted: readonly Wanted[]): number {
  const lending = pools.filter(({ lends }) => lends);
  let planned = 0;
  for (const { trade } of wanted) {
    let best = 0;
    const ways = roads(lending, trade.collateral, trade.debt);
    for (const edge of new Set([trade.least, ...trade.edges, trade.most])) {
      const size = trade.size(edge);
      if (!size) continue;
      for (const way of ways) {
        let amount = Number(size.debtToFund);
        for (let hop = way.length - 1; hop >= 0 && amount < Infinity; hop -= 1) {
          const step = way[hop];
          amount = step ? step.pool.estimateIn(step.tokenIn, amount) : Infinity;
        }
        best = Math.max(best, Number(size.collateralSeized) - amount);
      }
    }
    if (best > 0) planned += 1;
  }
  return planned;
}
