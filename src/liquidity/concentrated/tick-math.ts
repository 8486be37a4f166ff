/** Prices of ticks, as v3-core's TickMath has them: sqrt(1.0001^tick) in Q64.96. */

export const MIN_TICK = -887_272;
export const MAX_TICK = 887_272;
/** sqrtRatioAtTick of the two: TickMath.MIN_SQRT_RATIO and MAX_SQRT_RATIO. */
export const MIN_SQRT_RATIO = 4_295_128_739n;
export const MAX_SQRT_RATIO = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342n;

export const Q96 = 1n << 96n;
/** {@link Q96} as a float. */
export const Q96_FLOAT = 2 ** 96;

const Q128 = 1n << 128n;
const LOW_32_BITS = 0xffff_ffffn;
const ALL_256_BITS = (1n << 256n) - 1n;

/** TickMath's constants: 1 / sqrt(1.0001^(2^bit)) in Q128.128, for each bit of a tick. */
const FACTORS = [
  0xfffcb933bd6fad37aa2d162d1a594001n,
  0xfff97272373d413259a46990580e213an,
  0xfff2e50f5f656932ef12357cf3c7fdccn,
  0xffe5caca7e10e4e61c3624eaa0941cd0n,
  0xffcb9843d60f6159c9db58835c926644n,
  0xff973b41fa98c081472e6896dfb254c0n,
  0xff2ea16466c96a3843ec78b326b52861n,
  0xfe5dee046a99a2a811c461f1969c3053n,
  0xfcbe86c7900a88aedcffc83b479aa3a4n,
  0xf987a7253ac413176f2b074cf7815e54n,
  0xf3392b0822b70005940c7a398e4b70f3n,
  0xe7159475a2c29b7443b29c7fa6e889d9n,
  0xd097f3bdfd2022b8845ad8f792aa5825n,
  0xa9f746462d870fdf8a65dc1f90e061e5n,
  0x70d869a156d2a1b890bb3df62baf32f7n,
  0x31be135f97d08fd981231505542fcfa6n,
  0x9aa508b5b7a84e1c677de54f3e99bc9n,
  0x5d6af8dedb81196699c329225ee604n,
  0x2216e584f5fa1ea926041bedfe98n,
  0x48a170391f7dc42444e8fa2n,
];

/**
 * TickMath.getSqrtRatioAtTick: sqrt(1.0001^tick) in Q64.96, rounded up.
 *
 * @throws RangeError when the tick is none: the contract reverts with "T".
 */
export function sqrtRatioAtTick(tick: number): bigint {
  if (!(tick >= MIN_TICK && tick <= MAX_TICK)) throw new RangeError('a tick is out of its range');
  let ratio = Q128;
  for (let bits = Math.abs(tick), index = 0; bits !== 0; bits >>= 1, index++)
    if ((bits & 1) === 1) ratio = (ratio * (FACTORS[index] ?? Q128)) >> 128n;
  if (tick > 0) ratio = ALL_256_BITS / ratio;
  return (ratio >> 32n) + ((ratio & LOW_32_BITS) === 0n ? 0n : 1n);
}

/** About 10 MB of ratios: more than the ticks that pools in use ever meet. */
const MOST_REMEMBERED = 100_000;
const remembered = new Map<number, bigint>();

/**
 * {@link sqrtRatioAtTick}, which remembers. Pools share their ticks, and the ends of the words of their
 * bitmaps.
 */
export function sqrtRatioOf(tick: number): bigint {
  const known = remembered.get(tick);
  if (known !== undefined) return known;
  if (remembered.size >= MOST_REMEMBERED) remembered.clear();
  const ratio = sqrtRatioAtTick(tick);
  remembered.set(tick, ratio);
  return ratio;
}

const HALF_LOG_OF_TICK = Math.log(1.0001) / 2;

/**
 * {@link sqrtRatioAtTick} as a float, not scaled. It is made of the exact one: a power in floats is a
 * trillionth off, which counts where much liquidity lies between a price and a tick close to it.
 */
export function floatRatioAtTick(tick: number): number {
  return Number(sqrtRatioAtTick(tick)) / Q96_FLOAT;
}

/**
 * How far the logarithm below may be off, in ticks, many times over: 5e-6 is the most by which a ratio near
 * MIN_TICK differs from sqrt(1.0001^tick) because it is a whole number, and a float adds less than 1e-8.
 */
const DOUBT = 1e-3;

/**
 * TickMath.getTickAtSqrtRatio: the greatest tick whose ratio is at most this one. A float finds it, and exact
 * ratios decide wherever it could be wrong.
 *
 * @throws RangeError when the ratio is out of its range: the contract reverts with "R".
 */
export function tickAtSqrtRatio(sqrtPriceX96: bigint): number {
  if (sqrtPriceX96 < MIN_SQRT_RATIO || sqrtPriceX96 >= MAX_SQRT_RATIO)
    throw new RangeError('a price is out of its range');
  const near = Math.log(Number(sqrtPriceX96) / Q96_FLOAT) / HALF_LOG_OF_TICK;
  const tick = Math.floor(near);
  const beyond = near - tick;
  if (beyond > DOUBT && beyond < 1 - DOUBT) return tick;
  const nearest = Math.round(near);
  return sqrtRatioAtTick(nearest) <= sqrtPriceX96 ? nearest : nearest - 1;
}
