import type { Address } from '../domain/hex.js';
import type { Exit } from './exit.js';

/** What a liquidation of some amount takes and gives. */
export interface Sized {
  /** Debt units to hold when the market is called. */
  readonly debtToFund: bigint;
  /** Collateral units that are received. */
  readonly collateralSeized: bigint;
}

/** One collateral and one debt of a position, and the amounts that may be covered. */
export interface Trade<S extends Sized = Sized> {
  readonly collateral: Address;
  readonly debt: Address;
  /** Debt units. */
  readonly least: bigint;
  /** Debt units. */
  readonly most: bigint;
  /**
   * Debt units: where what is seized for one unit more changes, or where amounts begin that the market
   * refuses. Between two of them both sides of {@link Sized} grow in proportion.
   */
  readonly edges: readonly bigint[];
  /**
   * @param debtToCover debt units, from `least` to `most`.
   * @returns undefined where the market refuses the amount.
   */
  size(debtToCover: bigint): S | undefined;
}

/** The best amount of a trade with its route, if nothing else trades before. */
export interface Plan<S extends Sized = Sized> {
  readonly size: S;
  readonly exit: Exit;
  /** Collateral units for a flash swap, debt units for a sale; positive. */
  readonly profit: bigint;
  /** The profit less the gas of all hops; positive. */
  readonly netProfit: bigint;
}
