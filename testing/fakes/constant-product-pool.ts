import type { Address } from '../../src/domain/hex.js';
import { PIPS, type Hop } from '../../src/domain/route.js';
import type { Pool, Swap, TokenPair } from '../../src/liquidity/pool.js';

/** A pool of the simplest maths (Uniswap v2: reserves multiply to a constant, the fee stays in them). */
export class ConstantProductPool implements Pool {
  constructor(
    readonly address: Address,
    readonly tokens: TokenPair,
    /** Units of each of `tokens`. */
    readonly reserves: readonly [bigint, bigint],
    readonly feePips = 3_000,
    readonly lends = true,
  ) {}

  swapIn(tokenIn: Address, amountIn: bigint): Swap | undefined {
    const [reserveIn, reserveOut] = this.facing(tokenIn);
    const withoutFee = amountIn * (PIPS - BigInt(this.feePips));
    const amountOut = (withoutFee * reserveOut) / (reserveIn * PIPS + withoutFee);
    return amountOut > 0n ? this.swap(tokenIn, amountIn, amountOut) : undefined;
  }

  swapOut(tokenIn: Address, amountOut: bigint): Swap | undefined {
    const [reserveIn, reserveOut] = this.facing(tokenIn);
    if (amountOut <= 0n || amountOut >= reserveOut) return undefined;
    const withoutFee = (reserveOut - amountOut) * (PIPS - BigInt(this.feePips));
    return this.swap(tokenIn, (reserveIn * amountOut * PIPS) / withoutFee + 1n, amountOut);
  }

  estimateOut(tokenIn: Address, amountIn: number): number {
    const [reserveIn, reserveOut] = this.facing(tokenIn).map(Number) as [number, number];
    const withoutFee = amountIn * (1 - this.feePips / 1e6);
    return (withoutFee * reserveOut) / (reserveIn + withoutFee);
  }

  estimateIn(tokenIn: Address, amountOut: number): number {
    const [reserveIn, reserveOut] = this.facing(tokenIn).map(Number) as [number, number];
    if (amountOut >= reserveOut) return Infinity;
    return (reserveIn * amountOut) / (reserveOut - amountOut) / (1 - this.feePips / 1e6);
  }

  hop(tokenIn: Address): Hop {
    const tokenOut = tokenIn === this.tokens[0] ? this.tokens[1] : this.tokens[0];
    const { feePips, address: pool } = this;
    return { venue: 'constant-product', pool, tokenIn, tokenOut, feePips, parameter: feePips };
  }

  private facing(tokenIn: Address): readonly [bigint, bigint] {
    const [first, second] = this.reserves;
    return tokenIn === this.tokens[0] ? [first, second] : [second, first];
  }

  private swap(tokenIn: Address, amountIn: bigint, amountOut: bigint): Swap {
    const [reserveIn, reserveOut] = this.facing(tokenIn);
    const [more, less] = [reserveIn + amountIn, reserveOut - amountOut];
    const reserves = tokenIn === this.tokens[0] ? ([more, less] as const) : ([less, more] as const);
    const after = new ConstantProductPool(this.address, this.tokens, reserves, this.feePips, this.lends);
    return { amountIn, amountOut, after };
  }
}
