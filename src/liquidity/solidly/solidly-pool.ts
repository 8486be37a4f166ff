import type { Address } from '../../domain/hex.js';
import { BPS, UINT256_MAX, unitOf } from '../../domain/money.js';
import type { Hop } from '../../domain/route.js';
import { isZeroForOne, type Pool, type Swap, type TokenPair } from '../pool.js';
import {
  curveOfAmounts,
  estimateOther,
  stableAmountInNear,
  stableAmountOut,
  type Units,
} from './stable-curve.js';

const PIPS_PER_BPS = 100;

/** What a pool is, and what it holds at one block. */
export interface SolidlyState {
  readonly address: Address;
  /** In the order of the contract: token0, token1. */
  readonly tokens: TokenPair;
  /** Of token0 and token1. */
  readonly decimals: readonly [number, number];
  /** The kind of its venue. */
  readonly venue: string;
  readonly factory: Address;
  /** Whether its curve is x^3·y + y^3·x; else it is x·y. */
  readonly stable: boolean;
  /** PoolFactory.getFee at the block: basis points of the input. */
  readonly feeBps: number;
  /** PoolFactory.isPaused: quotes go on, and swaps revert. */
  readonly paused?: boolean;
  /** Units of token0 and token1, as the pool's last Sync tells: not what it holds beyond them. */
  readonly reserves: readonly [bigint, bigint];
}

/**
 * A pool of Aerodrome v2 in its state at one block, as its Pool.sol computes, to the unit. While its factory
 * is paused it does not trade, which the quotes of the contract do not see.
 */
export class SolidlyPool implements Pool {
  /** It would, by its hook; our contract does not use it. */
  readonly lends = false;
  private readonly units: Units;

  constructor(readonly state: SolidlyState) {
    this.units = [unitOf(state.decimals[0]), unitOf(state.decimals[1])];
  }

  get address(): Address {
    return this.state.address;
  }

  get tokens(): TokenPair {
    return this.state.tokens;
  }

  /** Pool.getAmountOut, and Pool.swap with what it gives. Undefined too where one of the two reverts. */
  swapIn(tokenIn: Address, amountIn: bigint): Swap | undefined {
    const zeroForOne = isZeroForOne(this.tokens, tokenIn);
    if (amountIn <= 0n || this.state.paused) return undefined;
    const { reserves } = this.state;
    const kept = amountIn - this.feeOf(amountIn);
    const amountOut = this.amountOut(kept, zeroForOne);
    const [reserveIn, reserveOut] = zeroForOne ? reserves : [reserves[1], reserves[0]];
    if (amountOut === undefined || amountOut === 0n || amountOut >= reserveOut) return undefined;
    const [afterIn, afterOut] = [reserveIn + kept, reserveOut - amountOut];
    const [after0, after1] = zeroForOne ? [afterIn, afterOut] : [afterOut, afterIn];
    if (!this.isWorthAtLeastNow(after0, after1)) return undefined;
    return { amountIn, amountOut, after: this.withReserves(after0, after1) };
  }

  /**
   * Sells the least input for which Pool.getAmountOut gives at least `amountOut`. Where a unit of the input
   * is worth more than one of the output it may give more, as the result tells.
   *
   * On the stable curve the contract's rounding now and then makes a unit less give a unit more, mostly in
   * pools of a few tokens. There it is an input of which one unit less is too little, and two units less may
   * be enough.
   */
  swapOut(tokenIn: Address, amountOut: bigint): Swap | undefined {
    const zeroForOne = isZeroForOne(this.tokens, tokenIn);
    const { reserves, stable } = this.state;
    const [reserveIn, reserveOut] = zeroForOne ? reserves : [reserves[1], reserves[0]];
    if (this.state.paused || amountOut <= 0n || amountOut >= reserveOut) return undefined;
    const kept = stable
      ? stableAmountInNear(amountOut, zeroForOne, reserves, this.units)
      : (amountOut * reserveIn + reserveOut - amountOut - 1n) / (reserveOut - amountOut);
    if (kept === undefined) return undefined;
    const near = this.withFeeOn(kept < 1n ? 1n : kept);
    const amountIn = stable ? this.leastFrom(near, zeroForOne, amountOut) : near;
    return amountIn === undefined ? undefined : this.swapIn(tokenIn, amountIn);
  }

  estimateOut(tokenIn: Address, amountIn: number): number {
    if (this.state.paused) return 0;
    return this.estimate(isZeroForOne(this.tokens, tokenIn), amountIn * this.keepShare);
  }

  estimateIn(tokenIn: Address, amountOut: number): number {
    const zeroForOne = isZeroForOne(this.tokens, tokenIn);
    const { reserves } = this.state;
    const reserveOut = Number(zeroForOne ? reserves[1] : reserves[0]);
    if (this.state.paused || amountOut >= reserveOut) return Infinity;
    const kept = -this.estimate(!zeroForOne, -amountOut);
    return kept > 0 ? kept / this.keepShare : Infinity;
  }

  hop(tokenIn: Address): Hop {
    const { venue, address: pool, tokens, feeBps, stable, factory } = this.state;
    const tokenOut = isZeroForOne(this.tokens, tokenIn) ? tokens[1] : tokens[0];
    const feePips = feeBps * PIPS_PER_BPS;
    return { venue, pool, tokenIn, tokenOut, feePips, parameter: stable ? 1 : 0, factory };
  }

  /** After its event Sync. */
  withReserves(reserve0: bigint, reserve1: bigint): SolidlyPool {
    return new SolidlyPool({ ...this.state, reserves: [reserve0, reserve1] });
  }

  /** @param feeBps basis points of the input. @param paused whether its factory refuses swaps. */
  withFee(feeBps: number, paused = false): SolidlyPool {
    const { state } = this;
    if (feeBps === state.feeBps && paused === (state.paused ?? false)) return this;
    return new SolidlyPool({ ...state, feeBps, paused });
  }

  private get keepShare(): number {
    return 1 - this.state.feeBps / Number(BPS);
  }

  /** Rounded down. */
  private feeOf(amountIn: bigint): bigint {
    return (amountIn * BigInt(this.state.feeBps)) / BPS;
  }

  /** The least input of which at least this much is left without its fee. @param kept at least 1. */
  private withFeeOn(kept: bigint): bigint {
    return ((kept - 1n) * BPS) / (BPS - BigInt(this.state.feeBps)) + 1n;
  }

  /** Pool._getAmountOut. Undefined where a number does not fit into 256 bits: the contract reverts. */
  private amountOut(kept: bigint, zeroForOne: boolean): bigint | undefined {
    const { reserves, stable } = this.state;
    const [reserveIn, reserveOut] = zeroForOne ? reserves : [reserves[1], reserves[0]];
    if (stable) return stableAmountOut(kept, zeroForOne, reserves, this.units);
    const product = kept * reserveOut;
    return product > UINT256_MAX || kept === 0n ? undefined : product / (reserveIn + kept);
  }

  /** Pool.swap reverts with K() where it is not. */
  private isWorthAtLeastNow(reserve0: bigint, reserve1: bigint): boolean {
    // On the curve x·y it always is, while it fits.
    if (!this.state.stable) return reserve0 * reserve1 <= UINT256_MAX;
    const [before, after] = [
      curveOfAmounts(...this.state.reserves, this.units),
      curveOfAmounts(reserve0, reserve1, this.units),
    ];
    return before !== undefined && after !== undefined && after >= before;
  }

  /** From an input near it, by steps that double, and then by halves. */
  private leastFrom(near: bigint, zeroForOne: boolean, amountOut: bigint): bigint | undefined {
    const isEnough = (amountIn: bigint): boolean =>
      (this.amountOut(amountIn - this.feeOf(amountIn), zeroForOne) ?? 0n) >= amountOut;
    let enough = near;
    for (let step = 1n; !isEnough(enough); step *= 2n) {
      enough += step;
      if (enough > UINT256_MAX) return undefined;
    }
    let tooLittle = enough;
    for (let step = 1n; tooLittle > 0n && isEnough(tooLittle); step *= 2n) {
      enough = tooLittle;
      tooLittle = tooLittle > step ? tooLittle - step : 0n;
    }
    while (enough - tooLittle > 1n) {
      const middle = (enough + tooLittle) / 2n;
      if (isEnough(middle)) enough = middle;
      else tooLittle = middle;
    }
    return enough;
  }

  /** Whole curve in floats: units out for units in, without the fee. */
  private estimate(zeroForOne: boolean, kept: number): number {
    const { reserves, stable } = this.state;
    const [x, y] = zeroForOne
      ? [Number(reserves[0]), Number(reserves[1])]
      : [Number(reserves[1]), Number(reserves[0])];
    if (!(x > 0 && y > 0)) return 0;
    if (!stable) return (kept * y) / (x + kept);
    const [unitIn, unitOut] = zeroForOne ? this.floatUnits : [this.floatUnits[1], this.floatUnits[0]];
    return estimateOther(x / unitIn, y / unitOut, kept / unitIn) * unitOut;
  }

  private get floatUnits(): readonly [number, number] {
    return [Number(this.units[0]), Number(this.units[1])];
  }
}
