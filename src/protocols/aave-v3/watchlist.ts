import type { Address } from '../../domain/hex.js';
import type { AaveMarket, MarketConditions } from './market.js';
import type { PositionTable, Rows } from './position-table.js';
import { Prefilter, type Fall } from './prefilter.js';

/** Everybody is looked at again once health factors may have fallen by this share since the last time. */
const FURTHEST_FALL = 0.03;
/**
 * A price that moved is waited for until it moves less than this a block: only then is everybody looked at
 * again.
 */
const STILL = 1e-3;
/**
 * The list is made this much longer than it has to be, so that not every move of a price makes another one.
 */
const MARGIN = 1e-3;
/** What a health factor may lose as a 32-bit float. */
const FLOAT32_MARGIN = 1e-6;

const NO_FALL: Fall = { movedMarks: 0, ofHolders: 1, ofOthers: 1 };

/** Whoever was below these at the basis is on the list. */
interface Reach {
  readonly movedMarks: number;
  readonly holders: number;
  readonly others: number;
}

/**
 * The rows of a table that may be below a health factor, kept from block to block without a look at all
 * accounts. At the last look, the basis, everybody's health factor was noted, and since then none can have
 * fallen further than the worst changes of prices, interest and thresholds take it: whoever was far enough
 * above the limit still is. A price that moves far counts for the holders of its asset only.
 */
export class Watchlist {
  readonly #table: PositionTable;
  readonly #limit: number;
  readonly #prefilter = new Prefilter();
  readonly #basis = new Prefilter();
  /** By row, at the basis' factors: also for whoever changed since. */
  #health = new Float32Array(0);
  /** Since the basis; undefined without one. */
  #fall: Fall | undefined;
  #reach: Reach = { movedMarks: 0, holders: 0, others: 0 };
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
   * Every row whose health factor at the last {@link update} is below this one or cannot be computed, and few
   * whose is not.
   *
   * @param healthFactor at most the limit.
   */
  below(healthFactor: number): number[] {
    const reach = reachOf(healthFactor * (1 + FLOAT32_MARGIN), this.#fall ?? NO_FALL);
    return this.#table.below(healthFactor, this.#prefilter, this.#select(reach, this.#rows));
  }

  /** Everybody is looked at again next time. */
  reset(): void {
    this.#fall = undefined;
  }

  /** @param touched accounts that changed since the last time. */
  update(market: AaveMarket, conditions: MarketConditions, touched: Iterable<Address>): void {
    this.#prefilter.update(market, conditions);
    if (this.#health.length < this.#table.rowCount) this.#grow();
    const before = this.#fall;
    this.#fall = before && this.#prefilter.fallSince(this.#basis);
    if (!before || !this.#fall || isWorn(this.#fall, before)) {
      this.#basis.update(market, conditions);
      this.#table.leastHealths(this.#basis, this.#health);
      this.#fall = NO_FALL;
      this.#list(reachOf(this.#limit * (1 + MARGIN), NO_FALL));
      return;
    }
    const rows = [...touched].map((address) => this.#table.rowOf(address)).filter((row) => row !== undefined);
    this.#table.leastHealths(this.#basis, this.#health, Uint32Array.from(rows));
    const needed = reachOf(this.#limit, this.#fall);
    const { movedMarks, holders, others } = this.#reach;
    const enough = needed.holders <= holders && needed.others <= others && needed.movedMarks === movedMarks;
    if (rows.length > 0 || !enough) this.#list(reachOf(this.#limit * (1 + MARGIN), this.#fall));
  }

  #list(reach: Reach): void {
    this.#reach = reach;
    this.#rows = this.#select(reach);
  }

  /** The rows within reach, or whose health factor cannot be computed, of `among` or of all. */
  #select({ movedMarks, holders, others }: Reach, among?: Rows): Rows {
    const health = this.#health;
    const marks = this.#table.reserveMarks;
    const count = among ? among.length : this.#table.rowCount;
    let selected = new Uint32Array(among ? count : Math.max(1024, 2 * this.#rows.length));
    let used = 0;
    for (let index = 0; index < count; index++) {
      const row = among ? (among[index] ?? 0) : index;
      const reach = ((marks[row] ?? 0) & movedMarks) === 0 ? others : holders;
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

function reachOf(healthFactor: number, { movedMarks, ofHolders, ofOthers }: Fall): Reach {
  return { movedMarks, holders: healthFactor / ofHolders, others: healthFactor / ofOthers };
}

/** Whether so much has changed since the basis that a new one is worth its look at everybody. */
function isWorn(fall: Fall, before: Fall): boolean {
  if (fall.ofOthers < 1 - FURTHEST_FALL) return true;
  const moving = Math.abs(fall.ofHolders - before.ofHolders) > STILL;
  return fall.ofHolders < 1 - FURTHEST_FALL && !moving;
}
