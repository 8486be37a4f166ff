import type { Address } from '../../domain/hex.js';
import { BPS, mulDivCeil, mulDivFloor } from '../../domain/money.js';
import type { Hop } from '../../domain/route.js';
import { isZeroForOne, type Pool, type Swap, type TokenPair } from '../pool.js';

/** What may be lost between the quote and the block, of what comes out: the rate only rises, or a little. */
const LOST_BPS = 10n;

/** A token that stands for another one, at one block. */
export interface WrapperState {
  /** Its kind in the configuration. */
  readonly kind: string;
  readonly wrapper: Address;
  readonly inside: Address;
  /** `out` units of the inside for `shares` units of the wrapper. */
  readonly rate: { readonly shares: bigint; readonly out: bigint };
  /** The most units of the wrapper that can be taken apart. */
  readonly most: bigint;
}

/**
 * A token as a pool that trades one way, wrapper for inside, at a fixed rate without a fee. It gives at most
 * a unit less than the contract, which divides only once.
 */
export class WrapperPool implements Pool {
  /** It does not call back. */
  readonly lends = false;
  readonly tokens: TokenPair;

  constructor(readonly state: WrapperState) {
    const { wrapper, inside } = state;
    this.tokens = wrapper < inside ? [wrapper, inside] : [inside, wrapper];
  }

  get address(): Address {
    return this.state.wrapper;
  }

  swapIn(tokenIn: Address, amountIn: bigint): Swap | undefined {
    const { rate, most } = this.state;
    if (!this.takes(tokenIn) || amountIn <= 0n || amountIn > most) return undefined;
    const amountOut = mulDivFloor(amountIn, rate.out, rate.shares);
    if (amountOut === 0n) return undefined;
    return { amountIn, amountOut, after: new WrapperPool({ ...this.state, most: most - amountIn }) };
  }

  /** It may give some units more, where a unit of the wrapper holds more than one. */
  swapOut(tokenIn: Address, amountOut: bigint): Swap | undefined {
    const { rate } = this.state;
    if (!this.takes(tokenIn) || amountOut <= 0n) return undefined;
    return this.swapIn(tokenIn, mulDivCeil(amountOut, rate.shares, rate.out));
  }

  estimateOut(tokenIn: Address, amountIn: number): number {
    return this.takes(tokenIn) && amountIn <= Number(this.state.most) ? amountIn * this.floatRate : 0;
  }

  estimateIn(tokenIn: Address, amountOut: number): number {
    const amountIn = this.takes(tokenIn) ? amountOut / this.floatRate : Infinity;
    return amountIn <= Number(this.state.most) ? amountIn : Infinity;
  }

  hop(tokenIn: Address, amountOut: bigint): Hop {
    const { kind, wrapper, inside } = this.state;
    const leastOut = amountOut - mulDivCeil(amountOut, LOST_BPS, BPS);
    return {
      ...{ venue: kind, pool: wrapper, tokenIn, tokenOut: inside, feePips: 0, parameter: 0 },
      leastOut,
    };
  }

  private takes(tokenIn: Address): boolean {
    const zeroForOne = isZeroForOne(this.tokens, tokenIn);
    return zeroForOne === (this.tokens[0] === this.state.wrapper);
  }

  private get floatRate(): number {
    const { shares, out } = this.state.rate;
    return Number(out) / Number(shares);
  }
}
