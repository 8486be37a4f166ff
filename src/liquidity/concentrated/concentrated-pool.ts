import { RetryError } from '../../domain/errors.js';
import type { Address } from '../../domain/hex.js';
import type { Hop } from '../../domain/route.js';
import { isZeroForOne, type Pool, type Swap, type TokenPair } from '../pool.js';
import { walkIn, walkOut, type Standing, type Walked } from './exact-walk.js';
import { estimateWalkIn, estimateWalkOut, type FloatStanding } from './float-walk.js';
import { Q96_FLOAT } from './tick-math.js';
import type { TickTable } from './tick-table.js';

const PIPS = 1_000_000;

/** What a pool is, and where it stands at one block. */
export interface ConcentratedState extends Standing {
  readonly address: Address;
  /** In the order of the contract: token0, token1. */
  readonly tokens: TokenPair;
  /** The kind of its venue, for instance "uniswap-v3". */
  readonly venue: string;
  /** By which its factory knows it: see {@link Hop.parameter}. */
  readonly parameter: number;
  /** The factory, where our contract must have listed it. */
  readonly factory?: Address;
  /**
   * What the pool keeps of the input, in hundredths of a basis point. Slipstream: fee() at the block, which
   * may differ from block to block.
   */
  readonly feePips: number;
  readonly tickSpacing: number;
  readonly ticks: TickTable;
}

/**
 * A pool of Uniswap v3, Slipstream or Pancake v3 in its state at one block. All three have the maths of
 * v3-core 1.0.1, to the unit. The protocol's share of the fee does not change what a swap gives.
 *
 * A pool that was created and not initialised has the price 0, and trades nothing.
 */
export class ConcentratedPool implements Pool {
  readonly lends = true;
  private readonly floats: FloatStanding;

  constructor(readonly state: ConcentratedState) {
    this.floats = {
      ratio: Number(state.sqrtPriceX96) / Q96_FLOAT,
      tick: state.tick,
      liquidity: Number(state.liquidity),
      keep: (PIPS - state.feePips) / PIPS,
    };
  }

  get address(): Address {
    return this.state.address;
  }

  get tokens(): TokenPair {
    return this.state.tokens;
  }

  swapIn(tokenIn: Address, amountIn: bigint): Swap | undefined {
    const { state } = this;
    if (state.sqrtPriceX96 === 0n) return undefined;
    const zeroForOne = isZeroForOne(this.tokens, tokenIn);
    const walked = walkIn(state, state.ticks, BigInt(state.feePips), zeroForOne, amountIn);
    return walked && walked.amountOut > 0n ? this.swapOf(walked) : undefined;
  }

  swapOut(tokenIn: Address, amountOut: bigint): Swap | undefined {
    const { state } = this;
    if (state.sqrtPriceX96 === 0n) return undefined;
    const zeroForOne = isZeroForOne(this.tokens, tokenIn);
    const walked = walkOut(state, state.ticks, BigInt(state.feePips), zeroForOne, amountOut);
    return walked && this.swapOf(walked);
  }

  estimateOut(tokenIn: Address, amountIn: number): number {
    const zeroForOne = isZeroForOne(this.tokens, tokenIn);
    if (this.floats.ratio === 0) return 0;
    return estimateWalkIn(this.floats, this.state.ticks, zeroForOne, amountIn);
  }

  estimateIn(tokenIn: Address, amountOut: number): number {
    const zeroForOne = isZeroForOne(this.tokens, tokenIn);
    if (this.floats.ratio === 0) return Infinity;
    return estimateWalkOut(this.floats, this.state.ticks, zeroForOne, amountOut);
  }

  hop(tokenIn: Address): Hop {
    const { venue, address: pool, tokens, feePips, parameter, factory } = this.state;
    const tokenOut = isZeroForOne(this.tokens, tokenIn) ? tokens[1] : tokens[0];
    return { venue, pool, tokenIn, tokenOut, feePips, parameter, ...(factory && { factory }) };
  }

  /** After its event Swap, which tells where the pool stands. */
  afterSwapLog(sqrtPriceX96: bigint, liquidity: bigint, tick: number): ConcentratedPool {
    return this.with({ sqrtPriceX96, liquidity, tick });
  }

  /** After its event Initialize. */
  afterInitializeLog(sqrtPriceX96: bigint, tick: number): ConcentratedPool {
    return this.with({ sqrtPriceX96, tick });
  }

  /**
   * After its events Mint and Burn (v3-core UniswapV3Pool._modifyPosition).
   *
   * @param delta liquidity that was added; negative for Burn. A Burn of 0 changes nothing.
   * @throws RetryError when the log cannot belong to this state: see {@link TickTable.with}.
   */
  afterLiquidityLog(tickLower: number, tickUpper: number, delta: bigint): ConcentratedPool {
    if (delta === 0n) return this;
    const { tick, ticks, liquidity } = this.state;
    const inRange = tickLower <= tick && tick < tickUpper;
    const after = inRange ? liquidity + delta : liquidity;
    if (after < 0n) throw new RetryError('more liquidity is taken from a pool than it has');
    return this.with({ ticks: ticks.with(tickLower, tickUpper, delta), liquidity: after });
  }

  /** @param feePips hundredths of a basis point of the input. */
  withFee(feePips: number): ConcentratedPool {
    return feePips === this.state.feePips ? this : this.with({ feePips });
  }

  private with(change: Partial<ConcentratedState>): ConcentratedPool {
    return new ConcentratedPool({ ...this.state, ...change });
  }

  private swapOf({ amountIn, amountOut, sqrtPriceX96, tick, liquidity }: Walked): Swap {
    return { amountIn, amountOut, after: this.with({ sqrtPriceX96, tick, liquidity }) };
  }
}
