import type { Address } from '../../domain/hex.js';
import { divExp, mulScalarTruncate } from './math.js';

/**
 * What interest is counted by: plain Compound v2 counts blocks, Moonwell counts seconds. Moments below are
 * block numbers or seconds since the epoch accordingly.
 */
export type InterestClock = 'block' | 'timestamp';

/** The terms of one mToken (Compound: cToken). Fractions are wads. */
export interface MToken {
  readonly id: number;
  readonly address: Address;
  /** What it lends. The wrapped native token for a market of the native coin. */
  readonly asset: Address;
  readonly symbol: string;
  /** Of the asset. */
  readonly decimals: number;
  /** A market of the native coin itself (CEther): only the coin repays it, which our contract cannot pay. */
  readonly isNative: boolean;
  readonly rateModel: Address;
  readonly listed: boolean;
  readonly collateralFactorWad: bigint;
  readonly reserveFactorWad: bigint;
  /** The share of the seized mTokens that the protocol keeps. */
  readonly seizeShareWad: bigint;
  /** Comptroller.isDeprecated: a debt in it may be liquidated whatever the account's liquidity. */
  readonly deprecated: boolean;
}

/**
 * Everything of one Comptroller that decides a liquidation, but for what its markets have booked. Immutable:
 * a change makes a new object.
 */
export interface CompoundMarket {
  readonly name: string;
  readonly comptroller: Address;
  readonly oracle: Address;
  readonly clock: InterestClock;
  readonly closeFactorWad: bigint;
  /** 1.1 means that 110 % of the worth of the debt is seized. */
  readonly incentiveWad: bigint;
  /** While it is set, every liquidation reverts (Comptroller.seizeAllowed). */
  readonly seizePaused: boolean;
  /** By id, which is the place in Comptroller.getAllMarkets. */
  readonly mTokens: ReadonlyMap<number, MToken>;
}

/** What a mToken has booked: amounts of its asset, and mTokens. */
export interface MarketTotals {
  readonly cash: bigint;
  readonly totalBorrows: bigint;
  readonly totalReserves: bigint;
  /** mTokens. */
  readonly totalSupply: bigint;
  /** Wad. */
  readonly borrowIndex: bigint;
}

/** A mToken at a block. */
export interface MarketState {
  readonly totals: MarketTotals;
  /** Up to when interest is booked. */
  readonly accruedAt: bigint;
  /**
   * Wad for each block or second. It depends on nothing but what is booked, so that the next accrual uses it
   * (CToken.accrueInterest).
   */
  readonly borrowRateWad: bigint;
}

/** CTokenInterfaces.borrowRateMaxMantissa: with a higher rate, everything but reading reverts. */
const HIGHEST_RATE_WAD = 5_000_000_000_000n;

/** "borrow rate is absurdly high" (CToken.accrueInterest): the market stands still. */
export function standsStill({ borrowRateWad }: MarketState): boolean {
  return borrowRateWad > HIGHEST_RATE_WAD;
}

/** All accounts of a block need the same few totals, so the last result for each state is kept. */
const accrued = new WeakMap<MarketState, { readonly at: bigint; readonly totals: MarketTotals }>();

/** What CToken.accrueInterest books at a moment. Each product is truncated. */
export function totalsAt(
  state: MarketState,
  { reserveFactorWad }: Pick<MToken, 'reserveFactorWad'>,
  at: bigint,
): MarketTotals {
  if (at <= state.accruedAt || standsStill(state)) return state.totals;
  const known = accrued.get(state);
  if (known?.at === at) return known.totals;
  const { totalBorrows, totalReserves, borrowIndex } = state.totals;
  const factor = state.borrowRateWad * (at - state.accruedAt);
  const interest = mulScalarTruncate(factor, totalBorrows);
  const totals = {
    ...state.totals,
    totalBorrows: totalBorrows + interest,
    totalReserves: totalReserves + mulScalarTruncate(reserveFactorWad, interest),
    borrowIndex: borrowIndex + mulScalarTruncate(factor, borrowIndex),
  };
  accrued.set(state, { at, totals });
  return totals;
}

/**
 * CToken.exchangeRateStored: units of the asset for one mToken, wad, rounded down. Nobody has any of a market
 * without mTokens, so its initial rate does not matter: 0.
 */
export function exchangeRate({ cash, totalBorrows, totalReserves, totalSupply }: MarketTotals): bigint {
  return totalSupply === 0n ? 0n : divExp(cash + totalBorrows - totalReserves, totalSupply);
}

/** What a market and its oracle say at one block. */
export interface MarketConditions {
  /** Interest is computed up to here: the next block. */
  readonly at: bigint;
  /** By the id of the mToken. */
  readonly states: ReadonlyMap<number, MarketState>;
  /**
   * PriceOracle.getUnderlyingPrice by the id of the mToken: USD for one unit of the asset, scaled by 1e36. An
   * asset without a price is absent.
   */
  readonly prices: ReadonlyMap<number, bigint>;
}

/** One market of an account. */
export interface Leg {
  readonly mTokenId: number;
  /** Only entered markets count for the account's liquidity. What it has in others may be seized too. */
  readonly entered: boolean;
  /** mTokens. */
  readonly tokens: bigint;
  /** What was owed when the account last borrowed or repaid, units of the asset. */
  readonly principal: bigint;
  /** The market's borrow index at that time, wad. */
  readonly interestIndex: bigint;
}

export interface CompoundAccount {
  readonly address: Address;
  /** By ascending id. A market in which the account has nothing, and that it has not entered, is left out. */
  readonly legs: readonly Leg[];
}

export function hasDebt({ legs }: CompoundAccount): boolean {
  return legs.some(({ principal }) => principal > 0n);
}

/** CToken.borrowBalanceStored: units of the asset, rounded down. */
export function borrowBalance(
  { principal, interestIndex }: Pick<Leg, 'principal' | 'interestIndex'>,
  { borrowIndex }: Pick<MarketTotals, 'borrowIndex'>,
): bigint {
  return principal === 0n ? 0n : (principal * borrowIndex) / interestIndex;
}

/** USD8 for one whole asset, from a price of the oracle; rounded down. */
export function priceUsd8Of(price: bigint, decimals: number): bigint {
  // USD · 1e36 for a unit, times 10^decimals units, less 28 decimals.
  return (price * 10n ** BigInt(decimals)) / 10n ** 28n;
}

/** Value of units of an asset at a price of the oracle: USD8, rounded down. */
export function valueAt(amount: bigint, price: bigint): bigint {
  return (amount * price) / 10n ** 28n;
}
