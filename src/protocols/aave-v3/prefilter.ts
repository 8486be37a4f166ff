import { unitOf } from '../../domain/money.js';
import { borrowIndexAt, liquidityIndexAt, type AaveMarket, type MarketConditions } from './market.js';

/** What a leg is to its account; `idle` is a supply that is not used as collateral. */
export type LegSide = 'collateral' | 'debt' | 'idle';

/** Reserve ids are below 128 and e-mode categories below 256 (DataTypes.sol): a leg's kind fits 17 bits. */
const IDLE = 1 << 16;
const KINDS = 2 * IDLE;
const DEBT = 1;
const RESERVE_IDS = 128;

/** What a leg counts by: the account's e-mode category, the reserve, and what it is to the account. */
export function legKind(eMode: number, reserveId: number, side: LegSide): number {
  const kind = (eMode << 8) | (reserveId << 1);
  return side === 'collateral' ? kind : side === 'debt' ? kind | DEBT : kind | IDLE;
}

export const reserveOf = (kind: number): number => (kind >> 1) & (RESERVE_IDS - 1);
export const isDebt = (kind: number): boolean => (kind & DEBT) !== 0;
export const isIdle = (kind: number): boolean => (kind & IDLE) !== 0;

/** Errors of the float sums stay below 1e-14 of them; a position this close to the limit is computed exactly. */
export const FLOAT_MARGIN = 1e-12;

/** Floats that preselect accounts. They never decide: whoever they select is computed exactly. */
export class Prefilter {
  /**
   * By {@link legKind}, what one scaled unit of a leg adds, in USD8: collateral by its liquidation threshold, debt negative,
   * idle 0. NaN where it cannot be known (a reserve that was dropped, a new category, no price), so that its holders are selected.
   */
  readonly factors = new Float64Array(KINDS).fill(NaN, 0, IDLE);
  /** By kind, by how much the exact USD8 of a leg may differ from the product: amounts and values are rounded to units. */
  readonly slackUsd8 = new Float64Array(KINDS);
  /** The kinds that have a factor. */
  #known: number[] = [];

  /** The factors at a block: indexes, prices and thresholds in one number for each kind of leg. */
  update(market: AaveMarket, { prices, timestamp }: MarketConditions): this {
    for (const kind of this.#known) this.factors[kind] = NaN;
    this.#known = [];
    for (const reserve of market.reserves.values()) {
      const price = prices.get(reserve.asset);
      const usd8PerUnit = price === undefined ? NaN : Number(price) / Number(unitOf(reserve.decimals));
      const supplied = (usd8PerUnit * Number(liquidityIndexAt(reserve.indexes, timestamp))) / 1e27;
      const owed = (usd8PerUnit * Number(borrowIndexAt(reserve.indexes, timestamp))) / 1e27;
      for (const eMode of [0, ...market.eModes.keys()]) {
        const category = market.eModes.get(eMode);
        const inCategory = category && (category.collateralBitmap >> BigInt(reserve.id)) & 1n;
        const threshold = (inCategory ? category : reserve).liquidationThresholdBps;
        this.#set(
          legKind(eMode, reserve.id, 'collateral'),
          (supplied * Number(threshold)) / 10_000,
          usd8PerUnit,
        );
        this.#set(legKind(eMode, reserve.id, 'debt'), -owed, usd8PerUnit);
      }
    }
    return this;
  }

  /**
   * By what a health factor may have been multiplied since `before`, at worst: all of the collateral what fell furthest, all of the
   * debt what rose furthest. A leg's slack moves by no more than that either way. 0 when a factor appeared or went.
   */
  worstSince(before: Prefilter): number {
    let collateral = 1;
    let debt = 1;
    for (const kind of new Set([...this.#known, ...before.#known])) {
      const [now, then] = [this.factors[kind] ?? NaN, before.factors[kind] ?? NaN];
      if (Object.is(now, then)) continue;
      const ratio = now / then;
      if (Number.isNaN(ratio)) return 0;
      if (isDebt(kind)) debt = Math.max(debt, ratio);
      else collateral = Math.min(collateral, ratio);
    }
    return collateral / debt;
  }

  #set(kind: number, factor: number, usd8PerUnit: number): void {
    this.factors[kind] = factor;
    this.slackUsd8[kind] = usd8PerUnit + 1;
    this.#known.push(kind);
  }
}
