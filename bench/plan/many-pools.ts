/** Many pools as they are on a chain, without one. */
import { SeededRandom } from '../../devnet/random.js';
import type { Address } from '../../src/domain/hex.js';
import { ConcentratedPool } from '../../src/liquidity/concentrated/concentrated-pool.js';
import { tickAtSqrtRatio } from '../../src/liquidity/concentrated/tick-math.js';
import { TickTable, type Tick } from '../../src/liquidity/concentrated/tick-table.js';
import { FEES_PIPS, magnitude, randomPrice } from '../../testing/builders/concentrated-pools.js';

const TICKS = 60;
const TICK_SPACING = 10;

/** Pools of 60 ticks each: 30 positions, one in the other, around the price. */
export function manyPools(howMany: number): ConcentratedPool[] {
  const random = new SeededRandom(7);
  return Array.from({ length: howMany }, (_, index) => {
    const sqrtPriceX96 = randomPrice(random);
    const tick = tickAtSqrtRatio(sqrtPriceX96);
    const middle = Math.round(tick / TICK_SPACING) * TICK_SPACING;
    let liquidity = 0n;
    const ticks = Array.from({ length: TICKS / 2 }, (__, place): Tick[] => {
      const added = magnitude(random, 15, 21);
      const half = (place + 1) * TICK_SPACING * random.integer(1, 20);
      liquidity += added;
      return [
        { tick: middle - half, liquidityNet: added, liquidityGross: added },
        { tick: middle + half, liquidityNet: -added, liquidityGross: added },
      ];
    });
    // Two positions may begin at one tick: there the first of them stays.
    const once = new Map(
      ticks
        .flat()
        .reverse()
        .map((one) => [one.tick, one]),
    );
    const address: Address = `0x${index.toString(16).padStart(40, '0')}`;
    return new ConcentratedPool({
      address,
      tokens: [
        `0x${(2 * index).toString(16).padStart(40, 'a')}`,
        `0x${(2 * index + 1).toString(16).padStart(40, 'b')}`,
      ],
      venue: 'uniswap-v3',
      parameter: 500,
      feePips: FEES_PIPS[index % FEES_PIPS.length] ?? 500,
      tickSpacing: TICK_SPACING,
      sqrtPriceX96,
      tick,
      liquidity,
      ticks: TickTable.of(once.values(), TICK_SPACING),
    });
  });
}
