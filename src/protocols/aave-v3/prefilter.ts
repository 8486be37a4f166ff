import { unitOf } from '../../domain/money.js';
import { borrowIndexAt, liquidityIndexAt, type AaveMarket, type MarketConditions } from './market.js';

/** Reserve ids are below 128 and e-mode categories below 256 (DataTypes.sol): a leg's kind fits 16 bits. */
const KINDS = 1 << 16;
const DEBT = 1;
const RESERVE_IDS = 128;

/** What a leg counts by: the account's e-mode category, the reserve, and whether it is collateral or debt. */
export function legKind(eMode: number, reserveId: number, side: 'collateral' | 'debt'): number {
  return (eMode << 8) | (reserveId << 1) | (side === 'debt' ? DEBT : 0);
}

export const reserveOf = (kind: number): number => (kind >> 1) & (RESERVE_IDS - 1);
export const isDebt = (kind: number): boolean => (kind & DEBT) === DEBT;

/** Floats that preselect accounts. They never decide: whoever they select is computed exactly. */
export interface Prefilter {
  /**
   * By {@link legKind}, what one scaled unit of a leg adds, in USD8: collateral by its liquidation threshold, debt negative.
   * NaN where it cannot be known, so that its holders are selected.
   */
  readonly factors: Float64Array;
  /** By kind, by how much the exact USD8 of a leg may differ from the product: amounts and values are rounded to units. */
  readonly slackUsd8: Float64Array;
}

/** Errors of the float sums stay below 1e-14 of them; a position this close to the limit is computed exactly. */
export const FLOAT_MARGIN = 1e-12;

/** The factors at a block: indexes, prices and thresholds in one number for each kind of leg. */
export function prefilterAt(market: AaveMarket, { prices, timestamp }: MarketConditions): Prefilter {
  // Kinds that are not known here, a reserve that was dropped or a new category, are left to the exact computation.
  const factors = new Float64Array(KINDS).fill(NaN);
  const slackUsd8 = new Float64Array(KINDS);
  for (const reserve of market.reserves.values()) {
    const price = prices.get(reserve.asset);
    const usd8PerUnit = price === undefined ? NaN : Number(price) / Number(unitOf(reserve.decimals));
    const supplied = (usd8PerUnit * Number(liquidityIndexAt(reserve.indexes, timestamp))) / 1e27;
    const owed = (usd8PerUnit * Number(borrowIndexAt(reserve.indexes, timestamp))) / 1e27;
    for (const eMode of [0, ...market.eModes.keys()]) {
      const category = market.eModes.get(eMode);
      const inCategory = category && (category.collateralBitmap >> BigInt(reserve.id)) & 1n;
      const threshold = (inCategory ? category : reserve).liquidationThresholdBps;
      factors[legKind(eMode, reserve.id, 'collateral')] = (supplied * Number(threshold)) / 10_000;
      factors[legKind(eMode, reserve.id, 'debt')] = -owed;
      for (const side of ['collateral', 'debt'] as const)
        slackUsd8[legKind(eMode, reserve.id, side)] = usd8PerUnit + 1;
    }
  }
  return { factors, slackUsd8 };
}
