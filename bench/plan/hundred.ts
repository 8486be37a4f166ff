/**
 * The best amount and route of each of 100 liquidations, over 300 pools of 12 tokens. The plain way: every
 * route of at most three pools is asked for every edge, and no route is split.
 */
import { SeededRandom } from '../../devnet/random.js';
import type { Pool } from '../../src/liquidity/pool.js';
import type { Form } from '../../src/routes/form.js';
import { Router } from '../../src/routes/router.js';
import { inSequence } from '../../testing/sequence.js';
import type { Trade } from '../../src/routes/trade.js';
import { roads } from '../../testing/brute-force-routes.js';
import { poolWorld, tradeOf, type PoolWorld } from '../../testing/builders/pool-worlds.js';
import type { Measurement } from '../measurement.js';
import { median, timed } from './timing.js';

const SEED = 7;
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
 * `plan.hundred`: each of the hundred by itself, when nothing is known of the pools from the block before.
 * `.unchanged`: the same when all pools are as they were. `.sequence`: the plans of one pass, each on the
 * state that the plans before it leave.
 */
export function hundred(progress: (step: string) => void): Measurement[] {
  progress(`planning ${TRADES} liquidations over ${POOLS} pools`);
  const random = new SeededRandom(SEED);
  const world = poolWorld(random, { tokens: TOKENS, pools: POOLS, concentrated: 0.8, unlending: 0.1 });
  const wanted = Array.from({ length: TRADES }, () => wantedOf(random, world));
  const positions = wanted.map((one) => [optionOf(one)]);
  const runs = Array.from({ length: WARM_UP + RUNS }, () => {
    const pools = world.pools.map(unseen);
    const all = (): void => {
      const router = Router.of(pools);
      for (const { trade, form } of wanted) router.best(trade, form);
    };
    return {
      fresh: timed(all),
      unchanged: timed(all),
      sequence: timed(() => Array.from(inSequence(Router.of(pools), positions))),
    };
  }).slice(WARM_UP);
  const plainMs = timed(() => plainly(world.pools, wanted));
  const of = `${TRADES} liquidations over ${POOLS} pools of ${TOKENS} tokens`;
  const row = (name: string, times: readonly number[], note: string): Measurement => {
    return { name, value: median(times), unit: 'ms', note: `${note}: ${of}` };
  };
  return [
    row(
      'plan.hundred',
      runs.map(({ fresh }) => fresh),
      'all pools changed',
    ),
    row('plan.hundred.baseline', [plainMs], 'every route at every edge, no split'),
    row(
      'plan.hundred.unchanged',
      runs.map(({ unchanged }) => unchanged),
      'no pool changed',
    ),
    row(
      'plan.hundred.sequence',
      runs.map(({ sequence }) => sequence),
      'each on the state after the others',
    ),
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
function plainly(pools: readonly Pool[], wanted: readonly Wanted[]): void {
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
  if (planned === 0) throw new Error('no route of any kind is profitable');
}
