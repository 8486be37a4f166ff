import type { Block } from '../domain/block.js';
import type { Address } from '../domain/hex.js';
import type { AccountData, PriceMissing } from '../protocols/aave-v3/health.js';
import type { AaveAccount, AaveMarket, MarketConditions } from '../protocols/aave-v3/market.js';

/** One borrower at the block of the view, with the totals that our own maths gives it. */
export interface Position {
  readonly account: AaveAccount;
  readonly data: AccountData | PriceMissing;
}

export interface MarketView {
  readonly market: AaveMarket;
  readonly conditions: MarketConditions;
  /** When each asset's feed last changed, seconds since the epoch; absent for a source that has no rounds. */
  readonly priceTimes: ReadonlyMap<Address, number>;
  /** Assets whose price moved more than the guard allows since the previous block. */
  readonly jumped: ReadonlySet<Address>;
  /** Borrowers that may be liquidated, and those with a price missing, by address. */
  readonly positions: ReadonlyMap<Address, Position>;
  /** All accounts with debt. */
  readonly borrowerCount: number;
}

/** Everything a decision may look at, all of it at one block. */
export interface StateView {
  readonly block: Block;
  /** USD8 for one native token. */
  readonly nativePriceUsd8: bigint;
  /** When its feed last changed, seconds since the epoch. */
  readonly nativePriceTime: number;
  readonly markets: readonly MarketView[];
}
