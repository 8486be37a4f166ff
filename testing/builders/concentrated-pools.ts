/** Pools of concentrated liquidity at random: what they hold and what is asked of them. */
import { SeededRandom } from '../../devnet/random.js';
import type { Address } from '../../src/domain/hex.js';
import { ConcentratedPool } from '../../src/liquidity/concentrated/concentrated-pool.js';
import { MAX_TICK, sqrtRatioAtTick, tickAtSqrtRatio } from '../../src/liquidity/concentrated/tick-math.js';
import { TickTable } from '../../src/liquidity/concentrated/tick-table.js';

export const TOKEN0: Address = `0x${'00'.repeat(19)}a0`;
export const TOKEN1: Address = `0x${'00'.repeat(19)}b1`;

export interface RandomPosition {
  readonly tickLower: number;
  readonly tickUpper: number;
  readonly liquidity: bigint;
}

/** Of Uniswap v3, Pancake v3 and Slipstream. */
export const TICK_SPACINGS = [1, 10, 50, 60, 100, 200, 2000];
export const FEES_PIPS = [0, 1, 100, 250, 420, 500, 2_500, 3_000, 10_000, 100_000];

/** A whole number of so many digits at most, each number of digits as likely as the next. */
export function magnitude(random: SeededRandom, least: number, most: number): bigint {
  const digits = random.between(least, most);
  const whole = Math.floor(digits);
  return (BigInt(Math.floor(10 ** (digits - whole) * 1e6)) * 10n ** BigInt(whole)) / 10n ** 6n + 1n;
}

/** Wide, narrow and full ranges around the price, and on one side of it. */
export function randomPosition(
  random: SeededRandom,
  tick: number,
  tickSpacing: number,
  digits: readonly [number, number] = [3, 24],
): RandomPosition {
  const last = Math.floor(MAX_TICK / tickSpacing) * tickSpacing;
  const liquidity = magnitude(random, ...digits);
  if (random.chance(0.1)) return { tickLower: -last, tickUpper: last, liquidity };
  const width = Math.ceil(random.magnitude(1, random.chance(0.5) ? 20 : 1_000)) * tickSpacing;
  const aside = random.chance(0.5) ? 0 : random.integer(-3, 3) * width;
  const near = Math.round((tick + aside - random.next() * width) / tickSpacing) * tickSpacing;
  const tickLower = Math.max(-last, Math.min(near, last - tickSpacing));
  return { tickLower, tickUpper: Math.min(tickLower + width, last), liquidity };
}

/** The pool of these positions at a price. */
export function poolOf(
  positions: readonly RandomPosition[],
  { sqrtPriceX96, tickSpacing, feePips }: { sqrtPriceX96: bigint; tickSpacing: number; feePips: number },
): ConcentratedPool {
  const empty = new ConcentratedPool({
    address: `0x${'00'.repeat(19)}cc`,
    tokens: [TOKEN0, TOKEN1],
    venue: 'uniswap-v3',
    parameter: feePips,
    feePips,
    tickSpacing,
    sqrtPriceX96,
    tick: tickAtSqrtRatio(sqrtPriceX96),
    liquidity: 0n,
    ticks: TickTable.of([], tickSpacing),
  });
  return positions.reduce(
    (pool, { tickLower, tickUpper, liquidity }) => pool.afterLiquidityLog(tickLower, tickUpper, liquidity),
    empty,
  );
}

/** A price between those of two neighbouring ticks, or exactly at one. */
export function randomPrice(random: SeededRandom, mostTick = 300_000): bigint {
  const tick = random.integer(-mostTick, mostTick);
  const [low, high] = [sqrtRatioAtTick(tick), sqrtRatioAtTick(tick + 1)];
  return random.chance(0.1) ? low : low + ((high - low) * BigInt(random.integer(0, 999_999))) / 1_000_000n;
}

export function randomPool(seed: number, mostPositions = 12): ConcentratedPool {
  const random = new SeededRandom(seed);
  const tickSpacing = TICK_SPACINGS[random.integer(0, TICK_SPACINGS.length - 1)] ?? 1;
  const feePips = FEES_PIPS[random.integer(0, FEES_PIPS.length - 1)] ?? 0;
  const sqrtPriceX96 = randomPrice(random);
  const tick = tickAtSqrtRatio(sqrtPriceX96);
  const count = random.integer(0, mostPositions);
  const positions = Array.from({ length: count }, () => randomPosition(random, tick, tickSpacing));
  return poolOf(positions, { sqrtPriceX96, tickSpacing, feePips });
}
