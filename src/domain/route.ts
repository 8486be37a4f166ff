import type { Address } from './hex.js';
import { mulDivFloor } from './money.js';

/** One, in the unit of pool fees: hundredths of a basis point. */
export const PIPS = 1_000_000n;

/** One swap in one pool. */
export interface Hop {
  /** The kind of the pool's venue, for instance "uniswap-v3". */
  readonly venue: string;
  readonly pool: Address;
  readonly tokenIn: Address;
  readonly tokenOut: Address;
  /** Share of the input that the pool keeps, in hundredths of a basis point (500 = 0.05 %). */
  readonly feePips: number;
  /**
   * Distinguishes the pool from other pools of its factory with the same tokens. Uniswap v3 and Pancake v3:
   * its fee tier, in pips; Slipstream: its tick spacing; Solidly: 1 for the stable curve, else 0.
   */
  readonly parameter: number;
  /** The factory, which our contract must have listed. Undefined: the one that it was deployed with. */
  readonly factory?: Address;
  /**
   * There is no pool: the token that goes in is taken apart, and `pool` is its address. The plan reverts when
   * fewer units come out.
   */
  readonly leastOut?: bigint;
}

/** A share of the trade: from the collateral through one or more pools to the debt token. */
export interface RoutePart {
  /** Collateral units that the first pool takes, by the quotes at the planning block. */
  readonly quotedInput: bigint;
  /** Debt token units that the last pool gives. */
  readonly output: bigint;
  /** At least one. The first hop takes the collateral, the last one gives the debt token. */
  readonly hops: readonly Hop[];
}

/** How a plan sells collateral for the debt token. Plain data, as it is stored with the plan. */
export interface Route {
  /** Each part sells a share of the collateral. None where collateral and debt are the same token. */
  readonly parts: readonly RoutePart[];
}

/** The address of every pool, part by part, in the direction of the swaps. */
export function poolsOf({ parts }: Route): Address[] {
  return parts.flatMap(({ hops }) => hops.map(({ pool }) => pool));
}

/** Collateral units that all parts take together, by their quotes. */
export function quotedInputOf({ parts }: Route): bigint {
  return parts.reduce((sum, { quotedInput }) => sum + quotedInput, 0n);
}

/**
 * The fees that the pools keep of `input` collateral units, in collateral units, rounded up. The input is
 * divided among the parts in proportion to their quotes.
 */
export function poolFees(route: Route, input: bigint): bigint {
  const quoted = quotedInputOf(route);
  if (quoted === 0n) return 0n;
  const afterFees = route.parts.reduce((sum, { quotedInput, hops }) => {
    const share = mulDivFloor(input, quotedInput, quoted);
    return sum + hops.reduce((rest, { feePips }) => mulDivFloor(rest, PIPS - BigInt(feePips), PIPS), share);
  }, 0n);
  return input - afterFees;
}
