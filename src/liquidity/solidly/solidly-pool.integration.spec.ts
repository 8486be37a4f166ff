import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDevnet, type Devnet } from '../../../devnet/index.js';
import { SeededRandom } from '../../../devnet/random.js';
import { FEES_BPS, randomReserves, randomShare } from '../../../testing/builders/solidly-pools.js';
import { afterSyncs, PoolWorld, type Sale, type Sold } from '../../../testing/pool-world.js';
import { send } from '../../../testing/send.js';
import type { SolidlyPool } from './solidly-pool.js';

/** Repeat a failing run with its seed: POOLS_SEED=… */
const SEED = Number(process.env['POOLS_SEED'] ?? Date.now() % 1_000_000);
/** POOLS_FULL=1: more than 20,000 swaps of each kind (npm run test:pools). */
const FULL = process.env['POOLS_FULL'] === '1';
const [POOLS, ROUNDS, SALES] = FULL ? [45, 5, 90] : [5, 2, 32];
const PURCHASES = FULL ? 20 : 8;

let devnet: Devnet;
let world: PoolWorld;

beforeAll(async () => {
  devnet = await startDevnet();
  world = await PoolWorld.start(devnet, [6, 18, 6, 8, 18, 24, 18, 6, 27, 2]);
});

afterAll(() => devnet.stop());

describe.each([false, true])(`a Solidly pool, stable: %s, against its contract (seed ${SEED})`, (stable) => {
  it(
    'sells and buys to the unit, and follows by logs, deep and tiny, balanced or not',
    async () => {
      const random = new SeededRandom(SEED);
      const seen = { sales: 0, refused: 0, purchases: 0 };
      for (const [index, pair] of random.some(pairs(), POOLS).entries()) {
        let pool = await open(random, pair, stable);
        for (let round = 0; round < ROUNDS; round++) {
          if (round > 0) pool = await changeFee(random, pool);
          const where = `pool ${index}, round ${round}`;
          seen.purchases += await buyAndCompare(random, pool, where);
          pool = await sellAndCompare(random, pool, where, seen);
        }
      }
      expect(seen.sales).toBeGreaterThanOrEqual(FULL ? 20_000 : 300);
      expect([seen.refused > 0, seen.purchases > (FULL ? 2_000 : 30)]).toEqual([true, true]);
    },
    FULL ? 900_000 : 120_000,
  );
});

type Token = PoolWorld['tokens'][number];

function pairs(): (readonly [Token, Token])[] {
  return world.tokens.flatMap((a, index) => world.tokens.slice(index + 1).map((b) => [a, b] as const));
}

function open(random: SeededRandom, [a, b]: readonly [Token, Token], stable: boolean): Promise<SolidlyPool> {
  const reserves = randomReserves(random, [a.decimals, b.decimals], stable);
  const feeBps = FEES_BPS[random.integer(0, FEES_BPS.length - 1)] ?? 0;
  return world.solidly([a.address, b.address], stable, reserves, feeBps);
}

/** By the pool's own fee, or by that of all pools of its kind. */
async function changeFee(random: SeededRandom, pool: SolidlyPool): Promise<SolidlyPool> {
  const { solidlyFactory } = devnet.contracts;
  const { deployer } = devnet.accounts;
  const feeBps = random.integer(1, 300);
  if (random.chance(0.5)) await send(devnet, deployer, solidlyFactory, 'setCustomFee', pool.address, feeBps);
  else {
    await send(devnet, deployer, solidlyFactory, 'setCustomFee', pool.address, 0);
    await send(devnet, deployer, solidlyFactory, 'setFee', pool.state.stable, feeBps);
  }
  return pool.withFee(feeBps);
}

async function sellAndCompare(
  random: SeededRandom,
  start: SolidlyPool,
  where: string,
  seen: { sales: number; refused: number },
): Promise<SolidlyPool> {
  let pool = start;
  const sales: Sale[] = [];
  const ours: (Sold | undefined)[] = [];
  for (let index = 0; index < SALES; index++) {
    const sale = randomSale(random, pool);
    const swap = pool.swapIn(pool.tokens[sale.zeroForOne ? 0 : 1], sale.amountIn);
    pool = (swap?.after as SolidlyPool | undefined) ?? pool;
    sales.push(sale);
    ours.push(swap && { amountOut: swap.amountOut, reserves: pool.state.reserves });
  }
  const theirs = await world.sell(sales);
  for (const [index, { amountIn, zeroForOne }] of sales.entries())
    expect(ours[index], `${where}, sale ${index}: ${amountIn} ${zeroForOne}`).toEqual(theirs[index]);
  seen.sales += sales.length;
  seen.refused += ours.filter((one) => !one).length;
  // The first of them are done for good: their logs lead to the same state.
  const done = sales.map((sale, index) => ({ sale, sold: ours[index] })).filter(({ sold }) => sold);
  const forGood = done.slice(0, 8);
  if (forGood.length === 0) return start;
  const followed = afterSyncs(start, await world.sellForGood(forGood.map(({ sale }) => sale)));
  expect(followed.state.reserves).toEqual(forGood.at(-1)?.sold?.reserves);
  return followed;
}

/** What the contract quotes for what was bought, and for a unit less. */
async function buyAndCompare(random: SeededRandom, pool: SolidlyPool, where: string): Promise<number> {
  const bought = Array.from({ length: PURCHASES }, () => {
    const zeroForOne = random.chance(0.5);
    const amountOut = randomShare(random, pool.state.reserves[zeroForOne ? 1 : 0] / 10n);
    const swap = pool.swapOut(pool.tokens[zeroForOne ? 0 : 1], amountOut);
    return swap ? [{ zeroForOne, amountOut, swap }] : [];
  }).flat();
  const inputs = bought.flatMap(({ zeroForOne, amountOut, swap }) =>
    [0n, 1n]
      .filter((less) => less < swap.amountIn)
      .map((less) => ({
        pool: pool.address,
        zeroForOne,
        amountIn: swap.amountIn - less,
        less,
        amountOut,
        swap,
      })),
  );
  const quotes = await world.quote(inputs);
  for (const [index, { amountIn, less, amountOut, swap }] of inputs.entries()) {
    const what = `${where}: ${amountOut} for ${swap.amountIn}, and for ${amountIn}`;
    if (less === 0n) expect(quotes[index], what).toBe(swap.amountOut);
    else expect((quotes[index] ?? 0n) < amountOut, what).toBe(true);
    expect(swap.amountOut >= amountOut, what).toBe(true);
  }
  return bought.length;
}

function randomSale(random: SeededRandom, pool: SolidlyPool): Sale {
  const zeroForOne = random.chance(0.5);
  const amountIn = randomShare(random, pool.state.reserves[zeroForOne ? 0 : 1]);
  return { pool: pool.address, zeroForOne, amountIn };
}
