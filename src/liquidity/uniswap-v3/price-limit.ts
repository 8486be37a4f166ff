import { PIPS } from '../../domain/route.js';

const Q192 = 1n << 192n;
/** TickMath.MIN_SQRT_RATIO and MAX_SQRT_RATIO: a limit must lie between them and equal neither. */
const MIN_SQRT_RATIO = 4_295_128_739n;
const MAX_SQRT_RATIO = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342n;

/**
 * The pool price (Q64.96 square root of token1 per token0) at which one more output unit costs `worthIn /
 * worthOut` input units, fee included. Rounded towards less depth by at most one unit of the square root, and
 * kept in the range of TickMath.
 */
export function sqrtPriceLimit(
  zeroForOne: boolean,
  feePips: number,
  worthIn: bigint,
  worthOut: bigint,
): bigint {
  const inputWithoutFee = worthIn * (PIPS - BigInt(feePips));
  const output = worthOut * PIPS;
  const root = zeroForOne
    ? squareRoot((output * Q192) / inputWithoutFee) + 1n
    : squareRoot((inputWithoutFee * Q192) / output);
  if (root <= MIN_SQRT_RATIO) return MIN_SQRT_RATIO + 1n;
  return root >= MAX_SQRT_RATIO ? MAX_SQRT_RATIO - 1n : root;
}

/** floor(sqrt(value)) by Newton's method. */
export function squareRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt((value.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
