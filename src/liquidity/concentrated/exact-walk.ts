/**
 * A whole swap, step by step, to the unit: the loop of v3-core's UniswapV3Pool.swap without a price limit
 * (MIN_SQRT_RATIO + 1 and MAX_SQRT_RATIO - 1). Slipstream and Pancake v3 have the same loop.
 */
import {
  amount0Ceil,
  amount0Floor,
  amount1Ceil,
  amount1Floor,
  feeOn,
  priceAfterToken0In,
  priceAfterToken0Out,
  priceAfterToken1In,
  priceAfterToken1Out,
  reaches0,
  reaches1,
  withoutFee,
} from './swap-step.js';
import {
  MAX_SQRT_RATIO,
  MAX_TICK,
  MIN_SQRT_RATIO,
  MIN_TICK,
  sqrtRatioOf,
  tickAtSqrtRatio,
} from './tick-math.js';
import type { TickTable } from './tick-table.js';

/** Where a pool stands. */
export interface Standing {
  /** sqrt(token1 units per token0 unit) in Q64.96. */
  readonly sqrtPriceX96: bigint;
  /** Of the pool: one below the price's own where the price fell to a tick and stopped there. */
  readonly tick: number;
  /** The liquidity in range. */
  readonly liquidity: bigint;
}

/** A swap that was walked to its end. */
export interface Walked extends Standing {
  readonly amountIn: bigint;
  readonly amountOut: bigint;
}

/** Amounts are int256 in the contract. */
const BEYOND_INT256 = 1n << 255n;
/** TickBitmap: ticks, counted in spacings, in one word. */
const LAST_OF_WORD = 255;

/**
 * Exact input.
 *
 * @param feePips hundredths of a basis point of the input.
 * @returns undefined where the liquidity ends before all of it is taken.
 */
export function walkIn(
  from: Standing,
  table: TickTable,
  feePips: bigint,
  zeroForOne: boolean,
  amountIn: bigint,
): Walked | undefined {
  if (amountIn <= 0n || amountIn >= BEYOND_INT256) return undefined;
  const walk = new Walk(from, table, zeroForOne);
  let remaining = amountIn;
  let amountOut = 0n;
  while (remaining > 0n) {
    if (!walk.aim()) return undefined;
    const { sqrtPriceX96: price, liquidity, target } = walk;
    let next = target;
    if (liquidity > 0n) {
      const rest = withoutFee(remaining, feePips);
      if (zeroForOne ? reaches0(rest, target, price, liquidity) : reaches1(rest, price, target, liquidity)) {
        const all = zeroForOne
          ? amount0Ceil(target, price, liquidity)
          : amount1Ceil(price, target, liquidity);
        remaining -= all + feeOn(all, feePips);
      } else {
        next = zeroForOne
          ? priceAfterToken0In(price, liquidity, rest)
          : priceAfterToken1In(price, liquidity, rest);
        // What the step does not need is fee.
        remaining = 0n;
      }
      amountOut += zeroForOne ? amount1Floor(next, price, liquidity) : amount0Floor(price, next, liquidity);
    }
    walk.moveTo(next);
  }
  return walk.ended(amountIn, amountOut);
}

/**
 * Exact output.
 *
 * @returns undefined where the liquidity ends before all of it is given.
 */
export function walkOut(
  from: Standing,
  table: TickTable,
  feePips: bigint,
  zeroForOne: boolean,
  amountOut: bigint,
): Walked | undefined {
  if (amountOut <= 0n || amountOut >= BEYOND_INT256) return undefined;
  const walk = new Walk(from, table, zeroForOne);
  let remaining = amountOut;
  let amountIn = 0n;
  while (remaining > 0n) {
    if (!walk.aim()) return undefined;
    const { sqrtPriceX96: price, liquidity, target } = walk;
    let next: bigint | undefined = target;
    if (liquidity > 0n) {
      const all = zeroForOne
        ? amount1Floor(target, price, liquidity)
        : amount0Floor(price, target, liquidity);
      if (remaining >= all) remaining -= all;
      else {
        next = zeroForOne
          ? priceAfterToken1Out(price, liquidity, remaining)
          : priceAfterToken0Out(price, liquidity, remaining);
        if (next === undefined) return undefined;
        remaining = 0n;
      }
      const taken = zeroForOne ? amount0Ceil(next, price, liquidity) : amount1Ceil(price, next, liquidity);
      amountIn += taken + feeOn(taken, feePips);
    }
    walk.moveTo(next);
  }
  return walk.ended(amountIn, amountOut);
}

/** The state of the loop. */
class Walk {
  sqrtPriceX96: bigint;
  liquidity: bigint;
  /** The price at which the step ends at the latest. */
  target = 0n;
  private tick: number;
  /** The place of the next initialised tick ahead. */
  private ahead: number;
  private nextTick = 0;
  private nextPrice = 0n;
  private nextIsInitialised = false;

  constructor(
    from: Standing,
    private readonly table: TickTable,
    private readonly zeroForOne: boolean,
  ) {
    this.sqrtPriceX96 = from.sqrtPriceX96;
    this.liquidity = from.liquidity;
    this.tick = from.tick;
    this.ahead = table.indexAtOrBelow(from.tick) + (zeroForOne ? 0 : 1);
  }

  /**
   * Finds the {@link target} of the next step: the next initialised tick, or the end of the bitmap's word
   * where that comes first (TickBitmap.nextInitializedTickWithinOneWord). The contract stops there and
   * rounds, so that a word without ticks changes the amounts, except while there is no liquidity.
   *
   * @returns false where there is no step: no liquidity is left on the way.
   */
  aim(): boolean {
    const initialised = this.table.ticks[this.ahead];
    if (this.liquidity === 0n) {
      if (initialised === undefined) return false;
      this.aimAt(initialised, true);
    } else {
      const end = this.endOfWord();
      const comesFirst =
        initialised !== undefined && (this.zeroForOne ? initialised >= end : initialised <= end);
      if (comesFirst) this.aimAt(initialised, true);
      else this.aimAt(end, false);
    }
    return this.target !== this.sqrtPriceX96 || this.target === this.nextPrice;
  }

  /** Ends the step at a price. Reaching a tick crosses it. */
  moveTo(next: bigint): void {
    if (next === this.nextPrice) {
      if (this.nextIsInitialised) {
        const net = this.table.nets[this.ahead] ?? 0n;
        this.liquidity += this.zeroForOne ? -net : net;
        this.ahead += this.zeroForOne ? -1 : 1;
      }
      this.tick = this.zeroForOne ? this.nextTick - 1 : this.nextTick;
    } else if (next !== this.sqrtPriceX96) this.tick = tickAtSqrtRatio(next);
    this.sqrtPriceX96 = next;
  }

  ended(amountIn: bigint, amountOut: bigint): Walked {
    const { sqrtPriceX96, tick, liquidity } = this;
    return { amountIn, amountOut, sqrtPriceX96, tick, liquidity };
  }

  private aimAt(tick: number, isInitialised: boolean): void {
    this.nextTick = tick;
    this.nextIsInitialised = isInitialised;
    this.nextPrice = sqrtRatioOf(tick);
    this.target = this.zeroForOne
      ? atLeast(this.nextPrice, MIN_SQRT_RATIO + 1n)
      : atMost(this.nextPrice, MAX_SQRT_RATIO - 1n);
  }

  /** The last tick of the bitmap's word in which the search ahead begins. */
  private endOfWord(): number {
    const { tickSpacing } = this.table;
    const compressed = Math.floor(this.tick / tickSpacing);
    return this.zeroForOne
      ? Math.max((compressed & ~LAST_OF_WORD) * tickSpacing, MIN_TICK)
      : Math.min(((compressed + 1) | LAST_OF_WORD) * tickSpacing, MAX_TICK);
  }
}

function atLeast(value: bigint, least: bigint): bigint {
  return value < least ? least : value;
}

function atMost(value: bigint, most: bigint): bigint {
  return value > most ? most : value;
}
