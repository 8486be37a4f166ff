import { unitOf } from '../../domain/money.js';
import { borrowIndexAt, liquidityIndexAt, type AaveMarket, type MarketConditions } from './market.js';

/** The side of the account that a leg is on. `idle` is a supply that is not used as collateral. */
export type LegSide = 'collateral' | 'debt' | 'idle';

/** Reserve ids are below 128 and e-mode categories below 256 (DataTypes.sol): a leg's kind fits 17 bits. */
const IDLE = 1 << 16;
const KINDS = 2 * IDLE;
const DEBT = 1;
const RESERVE_IDS = 128;

/** The kind of a leg: the account's e-mode category, the reserve and the side, in one number. */
export function legKind(eMode: number, reserveId: number, side: LegSide): number {
  const kind = (eMode << 8) | (reserveId << 1);
  return side === 'collateral' ? kind : side === 'debt' ? kind | DEBT : kind | IDLE;
}

export const reserveOf = (kind: number): number => (kind >> 1) & (RESERVE_IDS - 1);
export const isDebt = (kind: number): boolean => (kind & DEBT) !== 0;
export const isIdle = (kind: number): boolean => (kind & IDLE) !== 0;

/**
 * One of 32 bits for a reserve. Two reserves may share a bit: then more accounts are selected than needed,
 * but none is missed.
 */
export const reserveMark = (kind: number): number => 1 << (reserveOf(kind) & 31);

/**
 * A reserve counts as moved when its worst change is above this share. Interest and everyday price changes
 * are below it.
 */
const MOVED = 0.01;

/**
 * The number by which health factors may have been multiplied, at worst: all collateral is the asset that
 * fell most, and all debt is the asset that rose most.
 */
export interface HealthDrop {
  /** The {@link reserveMark}s of the reserves that moved. */
  readonly movedMarks: number;
  /** For an account that holds a reserve that moved. */
  readonly ofHolders: number;
  /** For every other account. */
  readonly ofOthers: number;
}

/**
 * The error of a float sum stays below 1e-14 of the sum. A position this close to the limit is selected and
 * computed exactly.
 */
export const FLOAT_MARGIN = 1e-12;

/** Preselects accounts with floats. It never decides: every selected account is computed exactly. */
export class Prefilter {
  /**
   * By {@link legKind}, the USD8 that one scaled unit of a leg adds: collateral times its liquidation
   * threshold, debt negative, idle 0. NaN where it cannot be known (a dropped reserve, a new category, a
   * missing price), so that the accounts that hold it are selected.
   */
  readonly factors = new Float64Array(KINDS).fill(NaN, 0, IDLE);
  /**
   * By kind, the USD8 by which the exact value of a leg may differ from the product of amount and factor,
   * because amounts and values are rounded to units.
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
   * The worst that prices, interest and terms may have done to health factors since `before`. A leg's slack
   * moves by no more than its value. Undefined when a factor appeared or disappeared.
   */
  worstDropSince(before: Prefilter): HealthDrop | undefined {
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
