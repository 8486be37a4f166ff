import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDevnet, type Devnet } from '../../../devnet/index.js';
import { SeededRandom } from '../../../devnet/random.js';
import { magnitude, randomPosition, randomPrice } from '../../../testing/builders/concentrated-pools.js';
import {
  afterLogs,
  PoolWorld,
  type ConcentratedKind,
  type Filled,
  type Order,
} from '../../../testing/pool-world.js';
import { send } from '../../../testing/send.js';
import type { Swap } from '../pool.js';
import type { ConcentratedPool } from './concentrated-pool.js';

/** Its counts are known. POOLS_SEED=… tries another one. */
const SEED = Number(process.env['POOLS_SEED'] ?? 11);
/** POOLS_FULL=1: more than 20,000 swaps of each kind (npm run test:pools). */
const FULL = process.env['POOLS_FULL'] === '1';
const [POOLS, ROUNDS, SWAPS] = FULL ? [34, 10, 60] : [4, 2, 40];

/** Orders by transactions: each of them may walk over thousands of words. */
const DONE_FOR_GOOD = 2;

/** Fee tiers with their tick spacings. What a factory does not have from the start is enabled. */
const TIERS: Readonly<
  Record<ConcentratedKind, readonly (readonly [feePips: number, tickSpacing: number])[]>
> = {
  'uniswap-v3': [
    [100, 1],
    [500, 10],
    [3_000, 60],
    [10_000, 200],
  ],
  slipstream: [
    [101, 1],
    [501, 50],
    [502, 100],
    [3_001, 200],
    [10_001, 2_000],
  ],
  'pancake-v3': [
    [100, 1],
    [500, 10],
    [2_500, 50],
    [10_000, 200],
  ],
};
/** What a module may make of a Slipstream pool's fee. */
const CHANGED_FEES = [0, 1, 99, 420, 2_999, 30_000, 100_000];

let devnet: Devnet;
let world: PoolWorld;
/** Of pools whose fee was changed. */
const codeAsCreated = new Map<string, { readonly text: string; readonly feePips: number }>();

beforeAll(async () => {
  devnet = await startDevnet();
  world = await PoolWorld.start(devnet, [18, 18, 18, 18, 18, 18, 18]);
  const { uniswapFactory, slipstreamFactory } = devnet.contracts;
  const { deployer } = devnet.accounts;
  const inner = uniswapFactory.attach(
    (await slipstreamFactory.getFunction('inner')()) as string,
  ) as typeof uniswapFactory;
  await send(devnet, deployer, uniswapFactory, 'enableFeeAmount', 100, 1);
  for (const [feePips, tickSpacing] of TIERS.slipstream) {
    await send(devnet, deployer, inner, 'enableFeeAmount', feePips, tickSpacing);
    await send(devnet, deployer, slipstreamFactory, 'enableTickSpacing', tickSpacing, feePips);
  }
});

afterAll(() => devnet.stop());

describe.each(Object.keys(TIERS) as ConcentratedKind[])(`%s against its contract (seed ${SEED})`, (kind) => {
  it(
    'swaps to the unit, and follows by logs, over many ranges, ticks and fees',
    async () => {
      const random = new SeededRandom(SEED);
      const seen = { swaps: 0, refused: 0, crossed: 0, empty: 0 };
      for (const [index, pair] of pairs().slice(0, POOLS).entries()) {
        const [feePips, tickSpacing] = TIERS[kind][index % TIERS[kind].length]!;
        let pool = await world.concentrated(
          kind,
          pair,
          { feePips, tickSpacing },
          randomPrice(random, 200_000),
        );
        for (let round = 0; round < ROUNDS; round++) {
          // The first round finds some pools as they were created.
          if (round > 0 || random.chance(0.8)) pool = await moveLiquidity(random, pool);
          if (kind === 'slipstream' && round > 0) pool = await changeFee(pool, random);
          if (pool.state.ticks.size === 0) seen.empty += 1;
          pool = await swapAndCompare(random, pool, `pool ${index}, round ${round}`, seen);
        }
      }
      expect(seen.swaps).toBeGreaterThanOrEqual(FULL ? 20_000 : 300);
      expect([seen.refused > (FULL ? 500 : 3), seen.crossed > (FULL ? 500 : 3)]).toEqual([true, true]);
    },
    FULL ? 900_000 : 120_000,
  );
});

/** Every pair of two tokens, often enough. */
function pairs(): (readonly [`0x${string}`, `0x${string}`])[] {
  const addresses = world.tokens.map(({ address }) => address);
  const once = addresses.flatMap((a, index) => addresses.slice(index + 1).map((b) => [a, b] as const));
  return Array.from({ length: 4 }, () => once).flat();
}

/** Some positions are opened, some are closed, in part or as a whole. */
async function moveLiquidity(random: SeededRandom, pool: ConcentratedPool): Promise<ConcentratedPool> {
  const { tick, tickSpacing } = pool.state;
  const opened = Array.from({ length: random.integer(1, 6) }, () =>
    randomPosition(random, tick, tickSpacing, [3, 22]),
  );
  const closed = random.some(opened, random.integer(0, opened.length)).map((position) => ({
    ...position,
    liquidity: random.chance(0.5) ? -position.liquidity : -(position.liquidity / 3n),
  }));
  const logs = await world.provide(
    [...opened, ...closed].map((position) => ({ pool: pool.address, ...position })),
  );
  return afterLogs(pool, logs);
}

/** As a fee module does between two blocks: the fee is a constant in the code of a pool, and written over. */
async function changeFee(pool: ConcentratedPool, random: SeededRandom): Promise<ConcentratedPool> {
  const feePips = CHANGED_FEES[random.integer(0, CHANGED_FEES.length - 1)] ?? 0;
  const code = codeAsCreated.get(pool.address) ?? {
    text: await devnet.provider.getCode(pool.address),
    feePips: pool.state.feePips,
  };
  codeAsCreated.set(pool.address, code);
  const constant = (fee: number): string => `7f${fee.toString(16).padStart(64, '0')}`;
  expect(code.text).toContain(constant(code.feePips));
  const changed = code.text.replaceAll(constant(code.feePips), constant(feePips));
  await devnet.rpc('anvil_setCode', [pool.address, changed]);
  return pool.withFee(feePips);
}

async function swapAndCompare(
  random: SeededRandom,
  start: ConcentratedPool,
  where: string,
  seen: { swaps: number; refused: number; crossed: number },
): Promise<ConcentratedPool> {
  let pool = start;
  const orders: Order[] = [];
  const ours: (Filled | undefined)[] = [];
  for (let swap = 0; swap < SWAPS; swap++) {
    const order = randomOrder(random, pool);
    const done = swapOf(pool, order);
    const after = done?.after as ConcentratedPool | undefined;
    orders.push(order);
    ours.push(done && after && filled(done, after));
    if (after && after.state.liquidity !== pool.state.liquidity) seen.crossed += 1;
    pool = after ?? pool;
  }
  const theirs = await world.fill(orders);
  for (const [index, order] of orders.entries())
    expect(
      ours[index],
      `${where}, swap ${index}, ${JSON.stringify({ ...order, amount: `${order.amount}` })}`,
    ).toEqual(theirs[index]);
  seen.swaps += orders.length;
  seen.refused += ours.filter((one) => !one).length;
  // The first of them are done for good: their logs lead to the same state.
  const forGood = orders.filter((_, index) => ours[index]).slice(0, DONE_FOR_GOOD);
  const logs = forGood.length > 0 ? await world.fillForGood(forGood) : [];
  const followed = afterLogs(start, logs);
  const last = ours
    .filter((one) => one)
    .slice(0, DONE_FOR_GOOD)
    .at(-1);
  const { sqrtPriceX96, tick, liquidity } = followed.state;
  if (last) expect({ sqrtPriceX96, tick, liquidity }).toEqual(standingOf(last));
  return followed;
}

function randomOrder(random: SeededRandom, pool: ConcentratedPool): Order {
  const zeroForOne = random.chance(0.5);
  const exactIn = random.chance(0.5);
  const amount = random.chance(0.6)
    ? largeAmount(random, pool, zeroForOne, exactIn)
    : magnitude(random, 0, 24);
  const order = { pool: pool.address, zeroForOne, amount: exactIn ? amount : -amount };
  if (random.chance(0.8)) return order;
  // What another order ends with: the exact amount to a tick now and then.
  const other = swapOf(pool, { ...order, amount: -order.amount });
  return other ? { ...order, amount: exactIn ? other.amountIn : -other.amountOut } : order;
}

/** Up to all that the pool has on that side, and a little more. */
function largeAmount(
  random: SeededRandom,
  pool: ConcentratedPool,
  zeroForOne: boolean,
  exactIn: boolean,
): bigint {
  const tokenIn = pool.tokens[zeroForOne ? 0 : 1];
  let digits = 38;
  while (digits > 0 && pool.estimateOut(tokenIn, 10 ** digits) === 0) digits--;
  const most = exactIn ? digits : Math.max(Math.log10(pool.estimateOut(tokenIn, 10 ** digits)), 0);
  return magnitude(random, Math.max(most - 3, 0), most + 0.5);
}

function swapOf(pool: ConcentratedPool, { zeroForOne, amount }: Order): Swap | undefined {
  const tokenIn = pool.tokens[zeroForOne ? 0 : 1];
  return amount > 0n ? pool.swapIn(tokenIn, amount) : pool.swapOut(tokenIn, -amount);
}

const standingOf = ({ sqrtPriceX96, tick, liquidity }: Filled): object => ({ sqrtPriceX96, tick, liquidity });

function filled({ amountIn, amountOut }: Swap, { state }: ConcentratedPool): Filled {
  const { sqrtPriceX96, tick, liquidity } = state;
  return { amountIn, amountOut, sqrtPriceX96, tick, liquidity };
}
