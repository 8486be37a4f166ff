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

/**
 * One of 32 bits for a reserve; reserves that share one are taken for each other, which costs time and misses
 * nobody.
 */
export const reserveMark = (kind: number): number => 1 << (reserveOf(kind) & 31);

/** A reserve whose worst change is above this share moved; interest and everyday prices are below. */
const MOVED = 0.01;

/**
 * What health factors may have been multiplied with, at worst: all of the collateral what fell furthest, all
 * of the debt what rose.
 */
export interface Fall {
  /** The {@link reserveMark}s of the reserves that moved. */
  readonly movedMarks: number;
  /** Of whoever holds one that moved. */
  readonly ofHolders: number;
  readonly ofOthers: number;
}

/**
 * Errors of the float sums stay below 1e-14 of them; a position this close to the limit is computed exactly.
 */
export const FLOAT_MARGIN = 1e-12;

/** Floats that preselect accounts. They never decide: whoever they select is computed exactly. */
export class Prefilter {
  /**
   * By {@link legKind}, what one scaled unit of a leg adds, in USD8: collateral by its liquidation threshold,
   * debt negative, idle 0. NaN where it cannot be known (a reserve that was dropped, a new category, no
   * price), so that its holders are selected.
   */
  readonly factors = new Float64Array(KINDS).fill(NaN, 0, IDLE);
  /**
   * By kind, by how much the exact USD8 of a leg may differ from the product: amounts and values are rounded
   * to units.
   */
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
   * What prices, interest and terms may have done to health factors since `before`, at worst. A leg's slack
   * moves by no more than its value. Undefined when a factor appeared or went.
   */
  fallSince(before: Prefilter): Fall | undefined {
    const ratios = new Map<number, { collateral: number; debt: number }>();
    for (const kind of new Set([...this.#known, ...before.#known])) {
      const [now, then] = [this.factors[kind] ?? NaN, before.factors[kind] ?? NaN];
      if (Object.is(now, then)) continue;
      const ratio = now / then;
      if (Number.isNaN(ratio)) return undefined;
      const mark = reserveMark(kind);
      const own = ratios.get(mark) ?? { collateral: 1, debt: 1 };
      if (isDebt(kind)) own.debt = Math.max(own.debt, ratio);
      else own.collateral = Math.min(own.collateral, ratio);
      ratios.set(mark, own);
    }
    let movedMarks = 0;
    const calm = { collateral: 1, debt: 1 };
    const all = { collateral: 1, debt: 1 };
    for (const [mark, { collateral, debt }] of ratios) {
      const moved = collateral / debt < 1 - MOVED;
      if (moved) movedMarks |= mark;
      for (const worst of moved ? [all] : [all, calm]) {
        worst.collateral = Math.min(worst.collateral, collateral);
        worst.debt = Math.max(worst.debt, debt);
      }
    }
    return { movedMarks, ofHolders: all.collateral / all.debt, ofOthers: calm.collateral / calm.debt };
  }

  #set(kind: number, factor: number, usd8PerUnit: number): void {
    this.factors[kind] = factor;
    this.slackUsd8[kind] = usd8PerUnit + 1;
    this.#known.push(kind);
  }
}
