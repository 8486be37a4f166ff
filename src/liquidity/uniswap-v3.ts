import { id } from 'ethers';
import { addressAt, addressWord, uintAt, uintWord, type Address, type Hex } from '../domain/hex.js';
import type { Read } from '../rpc/chain/read.js';

/** Pure encoding and price maths for Uniswap v3 (v3-core 1.0.1, v3-periphery QuoterV2). */

/** The factory's fee tiers, in hundredths of a basis point. */
export const FEE_TIERS = [100, 500, 3000, 10_000] as const;
export const PIPS = 1_000_000n;
const Q192 = 1n << 192n;
/** TickMath.MIN_SQRT_RATIO and MAX_SQRT_RATIO: a limit lies strictly between. */
const MIN_SQRT_RATIO = 4_295_128_739n;
const MAX_SQRT_RATIO = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342n;
/** More than any pool holds: an exact-input quote of this much runs to its price limit. */
const UNBOUNDED_INPUT = 1n << 120n;

const selector = (signature: string): Hex => id(signature).slice(0, 10) as Hex;
const GET_POOL = selector('getPool(address,address,uint24)');
const QUOTE_OUTPUT = selector('quoteExactOutputSingle((address,address,uint256,uint24,uint160))');
const QUOTE_INPUT = selector('quoteExactInputSingle((address,address,uint256,uint24,uint160))');

export interface UniswapV3Pool {
  readonly address: Address;
  readonly feePips: number;
}

/** The pool of a tier, or undefined where the factory has none. */
export function poolRead(
  factory: Address,
  a: Address,
  b: Address,
  feePips: number,
): Read<UniswapV3Pool | undefined> {
  return {
    calls: [{ to: factory, data: `${GET_POOL}${addressWord(a)}${addressWord(b)}${uintWord(feePips)}` }],
    decode: ([result]) => {
      if (!result?.success) return undefined;
      const address = addressAt(result.data, 0);
      return /^0x0+$/.test(address) ? undefined : { address, feePips };
    },
  };
}

/**
 * Input units the pool asks for exactly `amountOut` output units (QuoterV2.quoteExactOutputSingle);
 * undefined where the pool cannot deliver it.
 */
export function inputForRead(
  quoter: Address,
  tokenIn: Address,
  tokenOut: Address,
  feePips: number,
  amountOut: bigint,
): Read<bigint | undefined> {
  const data: Hex = `${QUOTE_OUTPUT}${addressWord(tokenIn)}${addressWord(tokenOut)}${uintWord(amountOut)}${uintWord(feePips)}${uintWord(0)}`;
  return {
    calls: [{ to: quoter, data }],
    decode: ([result]) => (result?.success ? uintAt(result.data, 0) : undefined),
  };
}

/**
 * Output units the pool gives until one more output unit would cost more than `worthIn / worthOut` input units, pool fee
 * included (QuoterV2.quoteExactInputSingle up to a price limit). 0 where it already costs more.
 */
export function depthRead(
  quoter: Address,
  tokenIn: Address,
  tokenOut: Address,
  feePips: number,
  worthIn: bigint,
  worthOut: bigint,
): Read<bigint> {
  const limit = sqrtPriceLimit(tokenIn < tokenOut, feePips, worthIn, worthOut);
  const data: Hex = `${QUOTE_INPUT}${addressWord(tokenIn)}${addressWord(tokenOut)}${uintWord(UNBOUNDED_INPUT)}${uintWord(feePips)}${uintWord(limit)}`;
  return {
    calls: [{ to: quoter, data }],
    decode: ([result]) => (result?.success ? uintAt(result.data, 0) : 0n),
  };
}

/**
 * The pool price (Q64.96 square root of token1 per token0) at which the marginal input per output, with the fee on top,
 * reaches `worthIn / worthOut`. Rounded towards less depth by at most one unit of the square root, inside TickMath's range.
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
