import type { Address } from '../../domain/hex.js';
import type { AaveMarket, MarketConditions } from './market.js';
import type { PositionTable, Rows } from './position-table.js';
import { Prefilter } from './prefilter.js';

/** Everybody is looked at again once health factors may have fallen by this share since the last time. */
const FURTHEST_FALL = 0.03;
/** The list is made this much longer than it has to be, so that not every move of a price makes another one. */
const MARGIN = 1e-3;
/** What a health factor may lose as a 32-bit float. */
const FLOAT32_MARGIN = 1e-6;

/**
 * The rows of a table that may be below a health factor, kept from block to block without a look at all accounts. At the last look,
 * the basis, everybody's health factor was noted, and since then none can have fallen further than the worst changes of prices,
 * interest and thresholds take it: whoever was far enough above the limit still is.
 */
export class Watchlist {
  readonly #table: PositionTable;
  readonly #limit: number;
  readonly #prefilter = new Prefilter();
  readonly #basis = new Prefilter();
  /** By row, at the basis' factors: also for whoever changed since. */
  #health = new Float32Array(0);
  /** What health factors may have been multiplied with since the basis, at worst; 0 without one. */
  #fall = 0;
  /** Whoever was below it at the basis is on the list. */
  #reach = 0;
  #rows: Rows = new Uint32Array(0);

  /** @param healthFactor the limit, 1 for liquidatable. */
  constructor(table: PositionTable, healthFactor: number) {
    this.#table = table;
    this.#limit = healthFactor * (1 + FLOAT32_MARGIN);
  }

  /** Every row below the limit at the last {@link update}, and some others. */
  get rows(): Rows {
    return this.#rows;
  }

  /**
   * Every row whose health factor at the last {@link update} is below this one or cannot be computed, and few whose is not.
   *
   * @param healthFactor at most the limit.
   */
  below(healthFactor: number): number[] {
    const reach = (healthFactor * (1 + FLOAT32_MARGIN)) / this.#fall;
    return this.#table.below(healthFactor, this.#prefilter, this.#select(reach, this.#rows));
  }

  /** Everybody is looked at again next time. */
  reset(): void {
    this.#fall = 0;
  }

  /** @param touched accounts that changed since the last time. */
  update(market: AaveMarket, conditions: MarketConditions, touched: Iterable<Address>): void {
    this.#prefilter.update(market, conditions);
    if (this.#health.length < this.#table.rowCount) this.#grow();
    const rows = [...touched].map((address) => this.#table.rowOf(address)).filter((row) => row !== undefined);
    if (this.#fall > 0) this.#fall = this.#prefilter.worstSince(this.#basis);
    if (this.#fall < 1 - FURTHEST_FALL) {
      this.#basis.update(market, conditions);
      this.#fall = 1;
      this.#reach = 0;
      this.#table.leastHealths(this.#basis, this.#health);
    } else this.#table.leastHealths(this.#basis, this.#health, Uint32Array.from(rows));
    const needed = this.#limit / this.#fall;
    if (rows.length === 0 && needed <= this.#reach) return;
    this.#reach = Math.max(this.#reach, needed * (1 + MARGIN));
    this.#rows = this.#select(this.#reach);
  }

  /** The rows whose health factor at the basis is below `reach` or cannot be computed, of `among` or of all. */
  #select(reach: number, among?: Rows): Rows {
    const health = this.#health;
    const count = among ? among.length : this.#table.rowCount;
    let selected = new Uint32Array(among ? count : Math.max(1024, 2 * this.#rows.length));
    let used = 0;
    for (let index = 0; index < count; index++) {
      const row = among ? (among[index] ?? 0) : index;
      if ((health[row] ?? NaN) >= reach) continue;
      if (used === selected.length) {
        const larger = new Uint32Array(2 * used);
        larger.set(selected);
        selected = larger;
      }
      selected[used++] = row;
    }
    return selected.subarray(0, used);
  }

  #grow(): void {
    const larger = new Float32Array(2 * this.#table.rowCount);
    larger.set(this.#health);
    this.#health = larger;
  }
}
