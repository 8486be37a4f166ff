/**
 * The curve x^3·y + y^3·x of Aerodrome v2's stable pools, as Pool.sol rounds it. Amounts are scaled to 18
 * decimals. What makes the contract revert (more than 256 bits, less than nothing, a division by zero) gives
 * undefined.
 */

const ONE = 10n ** 18n;
const MOST_256_BITS = (1n << 256n) - 1n;
/** Pool._get_y gives up after so many steps, with "!y". */
const MOST_STEPS = 255;

/** Units of one whole token, of token0 and of token1. */
export type Units = readonly [bigint, bigint];

/** Pool._f, and Pool._k of scaled amounts. */
export function curve(x: bigint, y: bigint): bigint | undefined {
  const [xx, yy] = [x * x, y * y];
  if (xx > MOST_256_BITS || yy > MOST_256_BITS) return undefined;
  const product = ((x * y) / ONE) * (xx / ONE + yy / ONE);
  return product > MOST_256_BITS ? undefined : product / ONE;
}

/** Pool._k. */
export function curveOfAmounts(amount0: bigint, amount1: bigint, [unit0, unit1]: Units): bigint | undefined {
  const [scaled0, scaled1] = [amount0 * ONE, amount1 * ONE];
  if (scaled0 > MOST_256_BITS || scaled1 > MOST_256_BITS) return undefined;
  return curve(scaled0 / unit0, scaled1 / unit1);
}

/** Pool._d: how much the curve grows with y. */
function slope(x: bigint, y: bigint): bigint | undefined {
  const [xx, yy] = [x * x, y * y];
  if (xx > MOST_256_BITS || yy > MOST_256_BITS) return undefined;
  const [first, second] = [3n * x * (yy / ONE), (xx / ONE) * x];
  return first > MOST_256_BITS || second > MOST_256_BITS ? undefined : first / ONE + second / ONE;
}

/**
 * Pool._get_y: the other reserve at which a pool with the reserve `x` is worth `k`, by Newton's method from
 * `y`. Near the end it steps by one, and its two ends differ: from above it gives the least y that is worth
 * `k`, from below it looks one further by Pool._k, which scales both numbers a second time.
 */
export function otherReserve(x: bigint, k: bigint, start: bigint, units: Units): bigint | undefined {
  let y = start;
  for (let step = 0; step < MOST_STEPS; step++) {
    const worth = curve(x, y);
    const rise = slope(x, y);
    if (worth === undefined || rise === undefined || rise === 0n) return undefined;
    if (worth < k) {
      const missing = ((k - worth) * ONE) / rise;
      if (missing === 0n) {
        const further = curveOfAmounts(x, y + 1n, units);
        if (further === undefined) return undefined;
        if (further > k) return y + 1n;
      }
      y += missing === 0n ? 1n : missing;
    } else {
      const excess = ((worth - k) * ONE) / rise;
      if (excess === 0n) {
        if (worth === k) return y;
        if (y === 0n) return undefined;
        const before = curve(x, y - 1n);
        if (before === undefined || before < k) return before === undefined ? undefined : y;
      }
      y -= excess === 0n ? 1n : excess;
      if (y < 0n) return undefined;
    }
  }
  return undefined;
}

/**
 * Pool._getAmountOut of a stable pool.
 *
 * @param amountIn token units, without the fee.
 * @param zeroForOne whether it is of token0.
 * @returns units of the other token, rounded down.
 */
export function stableAmountOut(
  amountIn: bigint,
  zeroForOne: boolean,
  [reserve0, reserve1]: readonly [bigint, bigint],
  units: Units,
): bigint | undefined {
  const k = curveOfAmounts(reserve0, reserve1, units);
  if (k === undefined) return undefined;
  const [unitIn, unitOut] = zeroForOne ? units : [units[1], units[0]];
  const [reserveIn, reserveOut] = zeroForOne ? [reserve0, reserve1] : [reserve1, reserve0];
  const x = (reserveIn * ONE) / unitIn + (amountIn * ONE) / unitIn;
  const y = (reserveOut * ONE) / unitOut;
  const left = otherReserve(x, k, y, units);
  return left === undefined || left > y ? undefined : ((y - left) * unitOut) / ONE;
}

/**
 * Near the least input, without the fee, for which {@link stableAmountOut} gives this much: the curve is the
 * same in both directions. Where to look, not what is found.
 */
export function stableAmountInNear(
  amountOut: bigint,
  zeroForOne: boolean,
  [reserve0, reserve1]: readonly [bigint, bigint],
  units: Units,
): bigint | undefined {
  const k = curveOfAmounts(reserve0, reserve1, units);
  const [unitIn, unitOut] = zeroForOne ? units : [units[1], units[0]];
  const [reserveIn, reserveOut] = zeroForOne ? [reserve0, reserve1] : [reserve1, reserve0];
  const [x, y] = [(reserveIn * ONE) / unitIn, ((reserveOut - amountOut) * ONE) / unitOut];
  if (k === undefined || y <= 0n) return undefined;
  const after = otherReserve(y, k, x, units);
  return after === undefined ? undefined : ((after - x) * unitIn + ONE - 1n) / ONE;
}

/** How often the estimate is refined: each step doubles the digits that are right. */
const REFINEMENTS = 12;

/**
 * In floats: how much more `y` leaves a pool when `dx` more `x` comes in. With a negative `dx` how much comes
 * in, negative. All in whole tokens. What changes is computed from what changes, so that small amounts are
 * as precise as large ones.
 */
export function estimateOther(x: number, y: number, dx: number): number {
  const after = x + dx;
  let dy = (dx * (3 * x * x * y + y * y * y)) / (x * x * x + 3 * x * y * y);
  for (let step = 0; step < REFINEMENTS; step++) {
    if (dy >= y) dy = y * (1 - 2 ** -step / 2);
    const left = y - dy;
    const squares = after * after + left * left;
    const change = (dx * left - x * dy) * squares + x * y * (dx * (x + after) - dy * (y + left));
    const refined = dy + change / (after * (after * after + 3 * left * left));
    if (Math.abs(refined - dy) <= 1e-15 * Math.abs(dy)) return refined;
    dy = refined;
  }
  return dy;
}
