import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../devnet/random.js';
import {
  magnitude,
  poolOf,
  randomPool,
  randomPosition,
  randomPrice,
  TOKEN0,
  TOKEN1,
} from '../../../testing/builders/concentrated-pools.js';
import { RetryError } from '../../domain/errors.js';
import type { Swap } from '../pool.js';
import type { ConcentratedPool } from './concentrated-pool.js';
import { MAX_SQRT_RATIO, MIN_SQRT_RATIO, sqrtRatioAtTick, tickAtSqrtRatio } from './tick-math.js';
import { TickTable } from './tick-table.js';

// Its ES modules do not load in Node.
const sdk = createRequire(import.meta.url)('@uniswap/v3-sdk') as typeof import('@uniswap/v3-sdk');
const jsbi = createRequire(import.meta.url)('jsbi') as typeof import('jsbi').default;

/** POOLS_FULL=1 makes the searches long. */
const FULL = process.env['POOLS_FULL'] === '1';
const seeds = fc.integer({ min: 0, max: 2 ** 31 });

interface Asked {
  readonly zeroForOne: boolean;
  readonly exactIn: boolean;
  readonly amount: bigint;
}

const told = (swap: Swap | undefined): object | undefined => {
  if (!swap) return undefined;
  const { sqrtPriceX96, liquidity, tick } = (swap.after as ConcentratedPool).state;
  return { amountIn: swap.amountIn, amountOut: swap.amountOut, sqrtPriceX96, liquidity, tick };
};

function ours(pool: ConcentratedPool, { zeroForOne, exactIn, amount }: Asked): Swap | undefined {
  const tokenIn = zeroForOne ? TOKEN0 : TOKEN1;
  return exactIn ? pool.swapIn(tokenIn, amount) : pool.swapOut(tokenIn, amount);
}

/** What the other implementation says; undefined where it fails, or stops before the end. */
async function theirs(
  { state }: ConcentratedPool,
  { zeroForOne, exactIn, amount }: Asked,
): Promise<object | undefined> {
  const big = (value: bigint): ReturnType<typeof jsbi.BigInt> => jsbi.BigInt(value.toString());
  const provider = new sdk.TickListDataProvider(
    [...state.ticks.entries()].map(({ tick, liquidityNet, liquidityGross }) => ({
      index: tick,
      liquidityNet: big(liquidityNet),
      liquidityGross: big(liquidityGross),
    })),
    state.tickSpacing,
  );
  try {
    const after = await sdk.v3Swap(
      big(BigInt(state.feePips)),
      big(state.sqrtPriceX96),
      state.tick,
      big(state.liquidity),
      state.tickSpacing,
      provider,
      zeroForOne,
      big(exactIn ? amount : -amount),
    );
    const sqrtPriceX96 = BigInt(after.sqrtRatioX96.toString());
    if (sqrtPriceX96 === MIN_SQRT_RATIO + 1n || sqrtPriceX96 === MAX_SQRT_RATIO - 1n) return undefined;
    const calculated = BigInt(after.amountCalculated.toString());
    if (exactIn && calculated === 0n) return undefined;
    return {
      amountIn: exactIn ? amount : calculated,
      amountOut: exactIn ? -calculated : amount,
      sqrtPriceX96,
      liquidity: BigInt(after.liquidity.toString()),
      tick: after.tickCurrent,
    };
  } catch {
    return undefined;
  }
}

/** Amounts of all sizes, and some that end exactly at a tick. */
function randomAsked(random: SeededRandom, pool: ConcentratedPool): Asked {
  const [zeroForOne, exactIn] = [random.chance(0.5), random.chance(0.5)];
  const asked = { zeroForOne, exactIn, amount: magnitude(random, 0, random.chance(0.1) ? 40 : 22) };
  const other = random.chance(0.2) ? ours(pool, { ...asked, exactIn: !exactIn }) : undefined;
  return other ? { ...asked, amount: exactIn ? other.amountIn : other.amountOut } : asked;
}

describe('a pool of concentrated liquidity', () => {
  it('swaps as @uniswap/v3-sdk does, to the unit, one swap after the other', async () => {
    let swaps = 0;
    let refused = 0;
    let crossed = 0;
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const random = new SeededRandom(seed);
        // Without liquidity in range the other implementation walks over thousands of words.
        const position = { tickLower: -600_000, tickUpper: 600_000, liquidity: magnitude(random, 3, 20) };
        let pool = randomPool(seed);
        if (pool.state.tickSpacing >= 50 && 600_000 % pool.state.tickSpacing === 0)
          pool = pool.afterLiquidityLog(position.tickLower, position.tickUpper, position.liquidity);
        else if (pool.state.liquidity === 0n) return;
        for (let swap = 0; swap < 4; swap++) {
          const asked = randomAsked(random, pool);
          const our = ours(pool, asked);
          if (!our && pool.state.tickSpacing < 50) return;
          expect(told(our), `seed ${seed}, swap ${swap}`).toEqual(await theirs(pool, asked));
          swaps += 1;
          if (!our) refused += 1;
          else {
            const after = our.after as ConcentratedPool;
            if (after.state.liquidity !== pool.state.liquidity) crossed += 1;
            pool = after;
          }
        }
      }),
      { numRuns: FULL ? 6_000 : 150 },
    );
    expect([swaps > 200, refused > 5, crossed > 20]).toEqual([true, true, true]);
  });

  it('gives back what exact output took, and never more than exact input pays', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const random = new SeededRandom(seed);
        const pool = randomPool(seed);
        const asked = randomAsked(random, pool);
        const bought = ours(pool, { ...asked, exactIn: false });
        if (!bought) return;
        expect(bought.amountOut).toBe(asked.amount);
        // Selling the same again gives at least as much; one unit less gives no more than was bought.
        const sold = ours(pool, { ...asked, exactIn: true, amount: bought.amountIn });
        expect(sold && sold.amountOut >= bought.amountOut).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('estimates what it swaps, in both directions', () => {
    let estimated = 0;
    fc.assert(
      fc.property(seeds, (seed) => {
        const random = new SeededRandom(seed);
        const pool = randomPool(seed);
        const tokenIn = random.chance(0.5) ? TOKEN0 : TOKEN1;
        const amount = magnitude(random, 10, 22);
        const sold = pool.swapIn(tokenIn, amount);
        // Small amounts are mostly rounding.
        if (sold && sold.amountOut > 10n ** 11n) {
          const half = sold.amountOut / 2n;
          const bought = pool.swapOut(tokenIn, half)!;
          expect(pool.estimateOut(tokenIn, Number(amount)) / Number(sold.amountOut)).toBeCloseTo(1, 4);
          if (bought.amountIn > 10n ** 9n)
            expect(pool.estimateIn(tokenIn, Number(half)) / Number(bought.amountIn)).toBeCloseTo(1, 4);
          estimated += 1;
        }
        if (!sold && !pool.swapOut(tokenIn, 1n)) {
          expect(pool.estimateOut(tokenIn, 1e60)).toBe(0);
          expect(pool.estimateIn(tokenIn, 1e60)).toBe(Infinity);
        }
      }),
      // The first one: deep liquidity, and a price just above a tick.
      { numRuns: 2_000, examples: [[1_637_240_329]] },
    );
    expect(estimated).toBeGreaterThan(200);
  });

  it('rounds at the end of each word of the bitmap, as the contract does', () => {
    // One position over many words of spacing 1: each word adds its own rounding.
    const pool = poolOf([{ tickLower: -10_240, tickUpper: 10_240, liquidity: 1_000_003n }], {
      sqrtPriceX96: sqrtRatioAtTick(0) + 1n,
      tickSpacing: 1,
      feePips: 3_000,
    });
    const all = pool.swapOut(TOKEN1, 390_000n);
    const wide = poolOf([{ tickLower: -10_000, tickUpper: 10_000, liquidity: 1_000_003n }], {
      sqrtPriceX96: sqrtRatioAtTick(0) + 1n,
      tickSpacing: 2_000,
      feePips: 3_000,
    });
    expect(all && wide.swapOut(TOKEN1, 390_000n)!.amountIn < all.amountIn).toBe(true);
  });

  it('trades nothing before it is initialised, without liquidity, and for amounts that no swap takes', () => {
    const full = poolOf([{ tickLower: -60, tickUpper: 60, liquidity: 10n ** 18n }], {
      sqrtPriceX96: 1n << 96n,
      tickSpacing: 60,
      feePips: 3_000,
    });
    const created = full.afterInitializeLog(0n, 0);
    const empty = full.afterLiquidityLog(-60, 60, -(10n ** 18n));
    for (const pool of [created, empty]) {
      expect(pool.swapIn(TOKEN0, 1_000n)).toBeUndefined();
      expect(pool.swapOut(TOKEN0, 1_000n)).toBeUndefined();
      expect(pool.estimateOut(TOKEN0, 1_000)).toBe(0);
      expect(pool.estimateIn(TOKEN0, 1_000)).toBe(Infinity);
    }
    for (const amount of [0n, -1n, 1n << 255n]) {
      expect(full.swapIn(TOKEN0, amount)).toBeUndefined();
      expect(full.swapOut(TOKEN0, amount)).toBeUndefined();
    }
    // All of it is fee and rounding: nothing comes out.
    expect(full.swapIn(TOKEN0, 1n)).toBeUndefined();
    expect(() => full.swapIn(`0x${'11'.repeat(20)}`, 1_000n)).toThrow(RangeError);
  });

  it('crosses a tick at which it stopped, when it comes back', () => {
    const pool = poolOf(
      [
        { tickLower: -120, tickUpper: 0, liquidity: 10n ** 18n },
        { tickLower: 0, tickUpper: 120, liquidity: 5n * 10n ** 18n },
      ],
      { sqrtPriceX96: sqrtRatioAtTick(60), tickSpacing: 60, feePips: 500 },
    );
    // Just what is needed to fall to tick 0: its position is left, and the tick is one below the price's own.
    const toTick = pool.swapOut(TOKEN0, amountDownTo0(pool))!;
    const { state } = toTick.after as ConcentratedPool;
    expect([state.sqrtPriceX96, state.tick, state.liquidity]).toEqual([1n << 96n, -1, 10n ** 18n]);
    const up = toTick.after.swapIn(TOKEN1, 10n ** 15n)!;
    expect((up.after as ConcentratedPool).state.liquidity).toBe(5n * 10n ** 18n);
    const down = toTick.after.swapIn(TOKEN0, 10n ** 15n)!;
    expect((down.after as ConcentratedPool).state.liquidity).toBe(10n ** 18n);
  });

  it('names its hop, with the factory only where there is one', () => {
    const pool = randomPool(1);
    const { feePips } = pool.state;
    const hop = { venue: 'uniswap-v3', pool: pool.address, feePips, parameter: feePips };
    expect(pool.hop(TOKEN0)).toStrictEqual({ ...hop, tokenIn: TOKEN0, tokenOut: TOKEN1 });
    expect(pool.hop(TOKEN1)).toStrictEqual({ ...hop, tokenIn: TOKEN1, tokenOut: TOKEN0 });
    expect(pool.withFee(291).hop(TOKEN0).feePips).toBe(291);
  });
});

function amountDownTo0({ state }: ConcentratedPool): bigint {
  return (state.liquidity * (state.sqrtPriceX96 - (1n << 96n))) >> 96n;
}

describe('a pool of concentrated liquidity after logs', () => {
  it('has the ticks and the liquidity of the positions that are left, whatever the order, and undone states stay', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const random = new SeededRandom(seed);
        const tickSpacing = 60;
        const price = { sqrtPriceX96: randomPrice(random, 50_000), tickSpacing, feePips: 500 };
        let pool = poolOf([], price);
        const open: ReturnType<typeof randomPosition>[] = [];
        const before: { pool: ConcentratedPool; told: unknown }[] = [];
        for (let step = 0; step < 40; step++) {
          before.push({ pool, told: describePool(pool) });
          const chosen = open.length > 0 && random.chance(0.4) ? random.integer(0, open.length - 1) : -1;
          const position = open[chosen] ?? randomPosition(random, pool.state.tick, tickSpacing);
          if (random.chance(0.2)) {
            const sqrtPriceX96 = randomPrice(random, 50_000);
            const tick = tickAtSqrtRatio(sqrtPriceX96);
            const liquidity = inRange(open, tick);
            pool = pool.afterSwapLog(sqrtPriceX96, liquidity, tick);
          } else if (chosen >= 0) {
            open.splice(chosen, 1);
            pool = pool.afterLiquidityLog(position.tickLower, position.tickUpper, -position.liquidity);
          } else {
            open.push(position);
            pool = pool.afterLiquidityLog(position.tickLower, position.tickUpper, position.liquidity);
          }
          const again = poolOf(open, { ...price, sqrtPriceX96: pool.state.sqrtPriceX96 });
          expect(describePool(pool)).toEqual(describePool(again));
          expect(pool.state.liquidity).toBe(inRange(open, pool.state.tick));
        }
        for (const { pool: former, told: then } of before) expect(describePool(former)).toEqual(then);
      }),
      { numRuns: FULL ? 2_000 : 60 },
    );
  });

  it('is the same object when a log or a fee changes nothing', () => {
    const pool = randomPool(3);
    expect(pool.afterLiquidityLog(-2_000, 2_000, 0n)).toBe(pool);
    expect(pool.withFee(pool.state.feePips)).toBe(pool);
    expect(pool.withFee(999).state.feePips).toBe(999);
  });

  it('refuses logs that cannot belong to its state, as a bad answer', () => {
    const pool = poolOf([{ tickLower: -120, tickUpper: 120, liquidity: 100n }], {
      sqrtPriceX96: 1n << 96n,
      tickSpacing: 60,
      feePips: 500,
    });
    expect(() => pool.afterLiquidityLog(-120, 120, -101n)).toThrow(RetryError);
    expect(() => pool.afterLiquidityLog(180, 240, -1n)).toThrow(RetryError);
    expect(() => pool.afterLiquidityLog(-120, 119, 5n)).toThrow(RetryError);
    expect(() => pool.afterLiquidityLog(120, -120, 5n)).toThrow(RetryError);
    expect(() => pool.afterLiquidityLog(0, 887_280, 5n)).toThrow(RetryError);
    const tick = { tick: 60, liquidityNet: 1n, liquidityGross: 1n };
    expect(() => TickTable.of([tick, tick], 60)).toThrow(RetryError);
    expect(() => TickTable.of([{ ...tick, tick: 61 }], 60)).toThrow(RetryError);
  });

  it('reads ticks in any order, and leaves out those that are empty', () => {
    const ticks = [
      { tick: 120, liquidityNet: -7n, liquidityGross: 7n },
      { tick: 60, liquidityNet: 0n, liquidityGross: 0n },
      { tick: -60, liquidityNet: 7n, liquidityGross: 7n },
    ];
    expect([...TickTable.of(ticks, 60).entries()]).toEqual([ticks[2], ticks[0]]);
    expect(TickTable.of(ticks, 60).size).toBe(2);
  });
});

function describePool({ state }: ConcentratedPool): unknown {
  const { sqrtPriceX96, liquidity, tick, feePips, ticks } = state;
  const { floatLiquidities, floatRatios } = ticks;
  return {
    sqrtPriceX96,
    liquidity,
    tick,
    feePips,
    ticks: [...ticks.entries()],
    floatLiquidities,
    floatRatios,
  };
}

function inRange(positions: readonly ReturnType<typeof randomPosition>[], tick: number): bigint {
  return positions
    .filter(({ tickLower, tickUpper }) => tickLower <= tick && tick < tickUpper)
    .reduce((sum, { liquidity }) => sum + liquidity, 0n);
}
