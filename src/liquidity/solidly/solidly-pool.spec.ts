import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../devnet/random.js';
import { TOKEN0, TOKEN1 } from '../../../testing/builders/concentrated-pools.js';
import { randomShare, randomSolidlyPool } from '../../../testing/builders/solidly-pools.js';
import { SolidlyPool, type SolidlyState } from './solidly-pool.js';
import { curveOfAmounts } from './stable-curve.js';

/** POOLS_FULL=1 makes the searches long. */
const RUNS = process.env['POOLS_FULL'] === '1' ? 20_000 : 400;
const seeds = fc.integer({ min: 0, max: 2 ** 31 });

const AERODROME: SolidlyState = {
  address: `0x${'00'.repeat(19)}dd`,
  tokens: [TOKEN0, TOKEN1],
  decimals: [18, 6],
  venue: 'aerodrome',
  factory: `0x${'00'.repeat(19)}fa`,
  stable: false,
  feeBps: 30,
  reserves: [1_000n * 10n ** 18n, 3_000_000n * 10n ** 6n],
};

describe('a Solidly pool on the curve x·y', () => {
  it('takes its fee rounded down, gives the rest rounded down, and keeps what came in without the fee', () => {
    const pool = new SolidlyPool(AERODROME);
    // 1001 units: the fee is 3 (3.003), so that 998 trade.
    const tiny = pool.swapIn(TOKEN1, 1_001n)!;
    expect(tiny.amountOut).toBe((998n * 10n ** 21n) / (3n * 10n ** 12n + 998n));
    expect((tiny.after as SolidlyPool).state.reserves).toEqual([
      10n ** 21n - tiny.amountOut,
      3n * 10n ** 12n + 998n,
    ]);
    expect(pool.lends).toBe(false);
    expect(pool.hop(TOKEN0)).toEqual({
      venue: 'aerodrome',
      pool: AERODROME.address,
      tokenIn: TOKEN0,
      tokenOut: TOKEN1,
      feePips: 3_000,
      parameter: 0,
      factory: AERODROME.factory,
    });
  });

  it('trades nothing when it is empty, gives nothing, or is asked for all', () => {
    const empty = new SolidlyPool({ ...AERODROME, reserves: [0n, 0n] });
    for (const stable of [false, true]) {
      const pool = new SolidlyPool({ ...empty.state, stable });
      expect([pool.swapIn(TOKEN0, 10n), pool.swapOut(TOKEN0, 10n)]).toEqual([undefined, undefined]);
      expect([pool.estimateOut(TOKEN0, 10), pool.estimateIn(TOKEN0, 10)]).toEqual([0, Infinity]);
    }
    const pool = new SolidlyPool(AERODROME);
    expect(pool.swapIn(TOKEN0, 10n ** 5n)).toBeUndefined();
    expect(pool.swapIn(TOKEN0, 0n)).toBeUndefined();
    expect(pool.swapIn(TOKEN0, 1n << 250n)).toBeUndefined();
    expect(pool.swapOut(TOKEN0, AERODROME.reserves[1])).toBeUndefined();
    expect(pool.swapOut(TOKEN0, 0n)).toBeUndefined();
    expect(pool.estimateIn(TOKEN0, 3e12)).toBe(Infinity);
    expect(() => pool.swapIn(`0x${'11'.repeat(20)}`, 10n)).toThrow(RangeError);
  });
});

describe('a Solidly pool on the stable curve', () => {
  it('gives what the curve leaves, to the unit, among decimals of every kind', () => {
    const pool = new SolidlyPool({
      ...AERODROME,
      stable: true,
      feeBps: 5,
      reserves: [1_000_000n * 10n ** 18n, 1_000_000n * 10n ** 6n],
    });
    // 10,000 less the fee of 5: by the curve 9,994.996… of the other token. From the contract.
    expect(pool.swapIn(TOKEN0, 10_000n * 10n ** 18n)?.amountOut).toBe(9_994_995_009n);
    expect(pool.swapIn(TOKEN1, 10_000n * 10n ** 6n)?.amountOut).toBe(9_994_995_009_997_503_694_150n);
    expect(pool.hop(TOKEN1).parameter).toBe(1);
  });

  it('refuses where the contract panics, in a pool that is far out of balance or tiny, and not beside it', () => {
    // The contract reverts with Panic(17) for the first two, and not for the others.
    const pool = new SolidlyPool({
      ...AERODROME,
      decimals: [6, 6],
      stable: true,
      feeBps: 0,
      reserves: [977_277n, 84_390n],
    });
    const given = [100n, 2_948n, 3_000n, 50_000n].map((amount) => pool.swapIn(TOKEN1, amount)?.amountOut);
    expect(given).toEqual([undefined, undefined, 11_547n, 145_505n]);
  });
});

describe.each([false, true])('any Solidly pool, stable: %s', (stable) => {
  const valueOf = ({ state }: SolidlyPool): bigint => {
    const [reserve0, reserve1] = state.reserves;
    const [unit0, unit1] = [10n ** BigInt(state.decimals[0]), 10n ** BigInt(state.decimals[1])];
    return stable ? curveOfAmounts(reserve0, reserve1, [unit0, unit1])! : reserve0 * reserve1;
  };

  it('never loses by a swap, and estimates what it gives and takes', () => {
    let estimated = 0;
    fc.assert(
      fc.property(seeds, (seed) => {
        const random = new SeededRandom(seed);
        const pool = randomSolidlyPool(random, stable);
        const [tokenIn, reserveIn] = random.chance(0.5)
          ? [TOKEN0, pool.state.reserves[0]]
          : [TOKEN1, pool.state.reserves[1]];
        const amountIn = randomShare(random, reserveIn);
        const swap = pool.swapIn(tokenIn, amountIn);
        if (!swap) return;
        expect(valueOf(swap.after as SolidlyPool) >= valueOf(pool)).toBe(true);
        if (swap.amountOut < 10n ** 6n || amountIn < 10n ** 6n || isTiny(pool)) return;
        expect(pool.estimateOut(tokenIn, Number(amountIn)) / Number(swap.amountOut)).toBeCloseTo(1, 4);
        const back = pool.swapOut(tokenIn, swap.amountOut);
        if (back && back.amountIn > 10n ** 6n && swap.amountOut * 2n < reserveOut(pool, tokenIn))
          expect(pool.estimateIn(tokenIn, Number(swap.amountOut)) / Number(back.amountIn)).toBeCloseTo(1, 4);
        estimated += 1;
      }),
      { numRuns: RUNS },
    );
    expect(estimated).toBeGreaterThan(RUNS / 5);
  });

  it('buys with the least input: a unit less does not give enough', () => {
    let bought = 0;
    fc.assert(
      fc.property(seeds, (seed) => {
        const random = new SeededRandom(seed);
        const pool = randomSolidlyPool(random, stable);
        const tokenIn = random.chance(0.5) ? TOKEN0 : TOKEN1;
        const amountOut = randomShare(random, reserveOut(pool, tokenIn) / 10n);
        const swap = pool.swapOut(tokenIn, amountOut);
        if (!swap) return;
        bought += 1;
        expect(swap.amountOut >= amountOut).toBe(true);
        expect(swap).toEqual(pool.swapIn(tokenIn, swap.amountIn));
        expect((pool.swapIn(tokenIn, swap.amountIn - 1n)?.amountOut ?? 0n) < amountOut).toBe(true);
      }),
      { numRuns: RUNS },
    );
    expect(bought).toBeGreaterThan(RUNS / 3);
  });

  it('is another pool after a log, and the former one stays', () => {
    const pool = new SolidlyPool({ ...AERODROME, stable });
    const synced = pool.withReserves(5n, 7n);
    expect([synced.state.reserves, pool.state.reserves]).toEqual([[5n, 7n], AERODROME.reserves]);
    expect(pool.withFee(30)).toBe(pool);
    expect(pool.withFee(5).state.feeBps).toBe(5);
  });
});

const reserveOut = ({ state }: SolidlyPool, tokenIn: string): bigint =>
  state.reserves[tokenIn === TOKEN0 ? 1 : 0];

/** Less than a hundred whole tokens on a side: much of what it gives is rounding. */
const isTiny = ({ state }: SolidlyPool): boolean =>
  state.reserves.some((reserve, index) => reserve < 10n ** BigInt(2 + state.decimals[index]!));
