import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  floatRatioAtTick,
  MAX_SQRT_RATIO,
  MAX_TICK,
  MIN_SQRT_RATIO,
  MIN_TICK,
  sqrtRatioAtTick,
  sqrtRatioOf,
  tickAtSqrtRatio,
} from './tick-math.js';

// Its ES modules do not load in Node.
const sdk = createRequire(import.meta.url)('@uniswap/v3-sdk') as typeof import('@uniswap/v3-sdk');
const jsbi = createRequire(import.meta.url)('jsbi') as typeof import('jsbi').default;

const ticks = fc.integer({ min: MIN_TICK, max: MAX_TICK });

describe('prices of ticks', () => {
  it('has the ends of TickMath', () => {
    expect(sqrtRatioAtTick(MIN_TICK)).toBe(MIN_SQRT_RATIO);
    expect(sqrtRatioAtTick(MAX_TICK)).toBe(MAX_SQRT_RATIO);
    expect(sqrtRatioAtTick(0)).toBe(1n << 96n);
    expect(() => sqrtRatioAtTick(MAX_TICK + 1)).toThrow(RangeError);
    expect(() => sqrtRatioAtTick(MIN_TICK - 1)).toThrow(RangeError);
    expect(() => tickAtSqrtRatio(MIN_SQRT_RATIO - 1n)).toThrow(RangeError);
    expect(() => tickAtSqrtRatio(MAX_SQRT_RATIO)).toThrow(RangeError);
    expect(tickAtSqrtRatio(MIN_SQRT_RATIO)).toBe(MIN_TICK);
    expect(tickAtSqrtRatio(MAX_SQRT_RATIO - 1n)).toBe(MAX_TICK - 1);
  });

  it('gives the same ratio of a tick as @uniswap/v3-sdk, remembered or not, and nearly the same as a float', () => {
    fc.assert(
      fc.property(ticks, (tick) => {
        const ratio = sqrtRatioAtTick(tick);
        expect(ratio.toString()).toBe(sdk.TickMath.getSqrtRatioAtTick(tick).toString());
        expect([sqrtRatioOf(tick), sqrtRatioOf(tick)]).toEqual([ratio, ratio]);
        expect(floatRatioAtTick(tick) / 1.0001 ** (tick / 2)).toBeCloseTo(1, 8);
      }),
    );
  });

  it('finds the tick of a price at, just below and just above the price of a tick', () => {
    fc.assert(
      fc.property(fc.integer({ min: MIN_TICK + 1, max: MAX_TICK - 1 }), (tick) => {
        const ratio = sqrtRatioAtTick(tick);
        expect([-1n, 0n, 1n].map((more) => tickAtSqrtRatio(ratio + more))).toEqual([tick - 1, tick, tick]);
      }),
      { numRuns: 2_000 },
    );
    // Where a ratio has the fewest digits a float is furthest off.
    for (let tick = MIN_TICK + 1; tick < MIN_TICK + 2_000; tick++)
      expect(tickAtSqrtRatio(sqrtRatioAtTick(tick) - 1n)).toBe(tick - 1);
  });

  it('finds the same tick of any price as @uniswap/v3-sdk', () => {
    fc.assert(
      fc.property(ticks, fc.bigInt({ min: 0n, max: 10n ** 9n }), (tick, share) => {
        const low = sqrtRatioAtTick(Math.min(tick, MAX_TICK - 1));
        const price = low + (low * share) / 10n ** 13n;
        if (price >= MAX_SQRT_RATIO) return;
        expect(tickAtSqrtRatio(price)).toBe(sdk.TickMath.getTickAtSqrtRatio(jsbi.BigInt(price.toString())));
      }),
      { numRuns: 1_000 },
    );
  });
});
