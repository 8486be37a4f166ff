import type { Address } from '../domain/hex.js';
import type { Hop } from '../domain/route.js';

export type TokenPair = readonly [Address, Address];

/** What a pool would do now, to the unit. */
export interface Swap {
  /** Units of the token that goes in, fee included. */
  readonly amountIn: bigint;
  /** Units of the token that comes out. */
  readonly amountOut: bigint;
  /** The pool after it. */
  readonly after: Pool;
}

/** One pool of two tokens, in its state at one block. It never changes: a swap gives another pool. */
export interface Pool {
  readonly address: Address;
  /** In the order of the contract: token0, token1. */
  readonly tokens: TokenPair;
  /** Whether it hands out its tokens before it is paid, and calls back: it can fund a liquidation. */
  readonly lends: boolean;
  /**
   * Sells exactly `amountIn` units of `tokenIn`, as the contract does.
   *
   * @returns undefined where the pool cannot take all of it, or gives nothing for it.
   */
  swapIn(tokenIn: Address, amountIn: bigint): Swap | undefined;
  /**
   * Buys exactly `amountOut` units of the other token with the least of `tokenIn`.
   *
   * @returns undefined where the pool has too few.
   */
  swapOut(tokenIn: Address, amountOut: bigint): Swap | undefined;
  /** {@link swapIn} in floats, which only order: units out for units in; 0 where it cannot. */
  estimateOut(tokenIn: Address, amountIn: number): number;
  /** {@link swapOut} in floats, which only order: units in for units out; Infinity where it cannot. */
  estimateIn(tokenIn: Address, amountOut: number): number;
  /**
   * The swap of `tokenIn` for its other token, as a route names it.
   *
   * @param amountOut what it gives, by the quote.
   */
  hop(tokenIn: Address, amountOut: bigint): Hop;
}

/**
 * Whether a swap of `tokenIn` goes from token0 to token1.
 *
 * @throws RangeError when it is none of the two: a bug of the caller.
 */
export function isZeroForOne([token0, token1]: TokenPair, tokenIn: Address): boolean {
  if (tokenIn === token0) return true;
  if (tokenIn === token1) return false;
  throw new RangeError('a pool was asked about a token that it does not have');
}

/** One key for a pair of tokens, whatever their order. */
export function pairKey([a, b]: TokenPair): string {
  return a < b ? `${a}-${b}` : `${b}-${a}`;
}
