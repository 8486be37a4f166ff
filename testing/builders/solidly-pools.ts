/** Pools of Solidly's kind at random. */
import type { SeededRandom } from '../../devnet/random.js';
import { SolidlyPool } from '../../src/liquidity/solidly/solidly-pool.js';
import { magnitude, TOKEN0, TOKEN1 } from './concentrated-pools.js';

export const DECIMALS = [
  [18, 18],
  [6, 18],
  [18, 6],
  [6, 6],
  [8, 18],
  [24, 6],
  [18, 24],
] as const;
/** Basis points: none, the defaults, the most that the factory allows. */
export const FEES_BPS = [0, 1, 5, 30, 100, 300];

/** Balanced or not, deep or tiny: units of both tokens. */
export function randomReserves(
  random: SeededRandom,
  decimals: readonly [number, number],
  stable: boolean,
): [bigint, bigint] {
  const whole = random.chance(0.2) ? random.between(-6, 2) : random.between(2, 9);
  const unbalanced = stable ? random.between(-1.5, 1.5) : random.between(-6, 6);
  const unitsOf = (digits: number): bigint => magnitude(random, Math.max(digits, 0.3), Math.max(digits, 0.3));
  return [unitsOf(decimals[0] + whole), unitsOf(decimals[1] + whole + unbalanced)];
}

export function randomSolidlyPool(random: SeededRandom, stable: boolean): SolidlyPool {
  const decimals = DECIMALS[random.integer(0, DECIMALS.length - 1)] ?? [18, 18];
  return new SolidlyPool({
    address: `0x${'00'.repeat(19)}dd`,
    tokens: [TOKEN0, TOKEN1],
    decimals,
    venue: 'aerodrome',
    factory: `0x${'00'.repeat(19)}fa`,
    stable,
    feeBps: FEES_BPS[random.integer(0, FEES_BPS.length - 1)] ?? 0,
    reserves: randomReserves(random, decimals, stable),
  });
}

/** A share of what the pool has of a token, from next to nothing to ten times all. */
export function randomShare(random: SeededRandom, reserve: bigint): bigint {
  const share = BigInt(Math.floor(random.magnitude(1, 1e10)));
  return random.chance(0.1) ? magnitude(random, 0, 20) : (reserve * share) / 10n ** 9n + 1n;
}
