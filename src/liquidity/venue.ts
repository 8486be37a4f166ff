import type { Address, Hash } from '../domain/hex.js';
import type { Hop } from '../domain/route.js';
import type { Read } from '../rpc/chain/read.js';
import type { TokenPair } from './pool.js';

/**
 * One pool of two tokens. What it answers is true at the block at which the read is made. A pool that knows
 * its own state gives reads without calls.
 */
export interface AskedPool {
  readonly address: Address;
  readonly tokens: TokenPair;
  /**
   * Units of `tokenIn` for exactly `amountOut` units of its other token; undefined where it has too few, or
   * where the last of them would cost far more than `worthIn` units of `tokenIn` for all.
   */
  amountIn(tokenIn: Address, amountOut: bigint, worthIn: bigint): Read<bigint | undefined>;
  /**
   * Units of its other token that it gives until one more unit would cost more than `worthIn / worthOut`
   * units of `tokenIn`, fee included. 0 where already the first unit does.
   */
  depth(tokenIn: Address, worthIn: bigint, worthOut: bigint): Read<bigint>;
  /** The swap of `tokenIn` for its other token, as a route names it. */
  hop(tokenIn: Address): Hop;
}

/** Knows where pools of one kind, or of several, are. */
export abstract class Venue {
  /**
   * The pools that trade one of these pairs in either direction. The pools of a pair come in a fixed order.
   * There are none of a token with itself.
   *
   * @param block at which a venue that has to ask the chain for them does so.
   * @throws RetryError when the chain could not be asked.
   */
  abstract pools(pairs: readonly TokenPair[], block: Hash): Promise<readonly AskedPool[]>;
}
