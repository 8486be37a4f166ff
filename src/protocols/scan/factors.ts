import { FIRST_IDLE, isDebt, KINDS, markOf } from './kinds.js';

/**
 * A thing counts as moved when its worst change is above this share. Interest and everyday price changes are
 * below it.
 */
const MOVED = 0.01;

/**
 * The number by which health factors may have been multiplied, at worst: all collateral is what fell most,
 * and all debt is what rose most.
 */
export interface HealthDrop {
  /** The marks of the things that moved, see {@link markOf}. */
  readonly movedMarks: number;
  /** For a row that holds a thing that moved. */
  readonly ofHolders: number;
  /** For every other row. */
  readonly ofOthers: number;
}

/**
 * What the legs of all kinds are worth at a block, in floats. They preselect, and never decide. A value is in
 * any unit, as long as it is the same for all legs of one row.
 */
export class Factors {
  /**
   * By kind, the value that one unit of a leg's amount adds: collateral times its liquidation threshold, debt
   * negative, idle 0. NaN where it cannot be known (a thing that was dropped or is new, a missing price), so
   * that the rows that hold it are selected.
   */
  readonly values = new Float64Array(KINDS).fill(NaN, 0, FIRST_IDLE);
  /**
   * By kind, by how much the exact value of a leg may differ from the product of amount and factor, because
   * amounts and values are rounded to units.
   */
  readonly slacks = new Float64Array(KINDS);
  /** The kinds that have a factor. */
  #known: number[] = [];
  /** See {@link weights}, and the kinds that have one. */
  #weights: Float64Array | undefined;
  #weighted: readonly number[] = [];

  /** No kind has a factor any more. */
  clear(): void {
    for (const kind of this.#known) this.values[kind] = NaN;
    this.#known = [];
  }

  set(kind: number, value: number, slack: number): void {
    this.values[kind] = value;
    this.slacks[kind] = slack;
    this.#known.push(kind);
  }

  /**
   * What the legs of a row add to its collateral less `limit` times its debt, at worst. At twice the kind:
   * for one unit of the amount. Behind it: what is taken off for each leg, because of its slack. Valid until
   * this is asked again.
   *
   * @param slackWeight how often the slack of a leg counts, on either side.
   */
  weights(limit: number, slackWeight: number): Float64Array {
    const weights = (this.#weights ??= new Float64Array(2 * KINDS).fill(NaN, 0, 2 * FIRST_IDLE));
    for (const kind of this.#weighted) weights[2 * kind] = NaN;
    for (const kind of this.#known) {
      const value = this.values[kind] ?? NaN;
      weights[2 * kind] = value < 0 ? limit * value : value;
      weights[2 * kind + 1] = slackWeight * (1 + limit) * (this.slacks[kind] ?? 0);
    }
    this.#weighted = this.#known;
    return weights;
  }

  /**
   * The worst that prices, interest and terms may have done to health factors since `before`. A leg's slack
   * moves by no more than its value. Undefined when a factor appeared or disappeared.
   */
  worstDropSince(before: Factors): HealthDrop | undefined {
    const ratios = new Map<number, { collateral: number; debt: number }>();
    for (const kind of new Set([...this.#known, ...before.#known])) {
      const [now, then] = [this.values[kind] ?? NaN, before.values[kind] ?? NaN];
      if (Object.is(now, then)) continue;
      const ratio = now / then;
      // It is infinite where the value was 0: a market that had no price, and has one now.
      if (!Number.isFinite(ratio)) return undefined;
      const mark = markOf(kind);
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
}
