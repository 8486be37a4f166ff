import { Factors, type HealthDrop } from './factors.js';
import type { LegTable, Rows } from './leg-table.js';

/**
 * When health factors may have dropped by this share since the last full scan, all rows are scanned again.
 */
const LARGEST_DROP = 0.03;
/**
 * A price is still moving while the worst drop changes by more than this share in one block. The next full
 * scan waits until the price rests.
 */
const RESTING_CHANGE = 1e-3;
/**
 * The list reaches this share higher than the limit, so that a small move of a price does not make a new
 * list.
 */
const LIST_MARGIN = 1e-3;
/** The share that a health factor may lose when it is stored as a 32-bit float. */
const FLOAT32_MARGIN = 1e-6;

const NO_DROP: HealthDrop = { movedMarks: 0, ofHolders: 1, ofOthers: 1 };

/**
 * A row is listed when its health factor at the basis was below its threshold: `holders` for a row that holds
 * a thing that moved, `others` for all other rows.
 */
interface Thresholds {
  readonly movedMarks: number;
  readonly holders: number;
  readonly others: number;
}

/**
 * The rows of a table that may be below a health factor. The list is kept from block to block without a scan
 * of all rows. The last full scan is the basis: it noted the health factor of every row. Since then no
 * health factor can have dropped further than the worst changes of prices, interest and thresholds allow. So
 * a row that was far enough above the limit is still above it. A price that moves far counts only for the
 * rows that hold its asset.
 */
export class Watchlist<Key extends string | number> {
  readonly #table: LegTable<Key>;
  readonly #limit: number;
  readonly #now = new Factors();
  readonly #basis = new Factors();
  /**
   * By row, the health factor with the factors of the basis. A row that changed since then is computed again
   * with the same factors.
   */
  #health = new Float32Array(0);
  /** By row, 1 for a row of the list. */
  #listed = new Uint8Array(0);
  /** The worst drop since the basis; undefined when there is no basis. */
  #drop: HealthDrop | undefined;
  #thresholds: Thresholds = { movedMarks: 0, holders: 0, others: 0 };
  #rows: Rows = new Uint32Array(0);

  /** @param healthFactor the limit, 1 for liquidatable. */
  constructor(table: LegTable<Key>, healthFactor: number) {
    this.#table = table;
    this.#limit = healthFactor * (1 + FLOAT32_MARGIN);
  }

  /** Every row below the limit at the last {@link update}, and some rows above it or empty. */
  get rows(): Rows {
    return this.#rows;
  }

  /**
   * Every row whose health factor at the last {@link update} is below this one or cannot be computed, and a
   * few other rows.
   *
   * @param healthFactor at most the limit.
   */
  below(healthFactor: number): number[] {
    return this.#below(healthFactor, this.#now, this.#drop ?? NO_DROP);
  }

  /** As {@link below}, with other factors: those of a later time, when interest has lowered the health. */
  belowWith(factors: Factors, healthFactor: number): number[] {
    return this.#below(healthFactor, factors, factors.worstDropSince(this.#basis));
  }

  /** The next {@link update} scans all rows. */
  reset(): void {
    this.#drop = undefined;
  }

  /**
   * @param fill writes the factors at a block.
   * @param touched rows that changed since the last update, by their keys.
   */
  update(fill: (factors: Factors) => void, touched: Iterable<Key>): void {
    fill(this.#now);
    if (this.#health.length < this.#table.rowCount) this.#grow();
    const before = this.#drop;
    this.#drop = before && this.#now.worstDropSince(this.#basis);
    if (!before || !this.#drop || needsNewBasis(this.#drop, before)) {
      fill(this.#basis);
      this.#table.leastHealths(this.#basis, this.#health);
      this.#drop = NO_DROP;
      this.#makeList(thresholdsOf(this.#limit * (1 + LIST_MARGIN), NO_DROP));
      return;
    }
    const appeared = this.#note([...touched]);
    const needed = thresholdsOf(this.#limit, this.#drop);
    const { movedMarks, holders, others } = this.#thresholds;
    const enough = needed.holders <= holders && needed.others <= others && needed.movedMarks === movedMarks;
    if (appeared || !enough) this.#makeList(thresholdsOf(this.#limit * (1 + LIST_MARGIN), this.#drop));
  }

  /** Notes the health factors of rows that changed. @returns whether one of them is missing in the list */
  #note(touched: readonly Key[]): boolean {
    const rows = Uint32Array.from(
      touched.map((key) => this.#table.rowOf(key)).filter((row) => row !== undefined),
    );
    this.#table.leastHealths(this.#basis, this.#health, rows);
    return this.#select(this.#thresholds, rows).some((row) => this.#listed[row] === 0);
  }

  /** @param drop since the basis; undefined: not known, so that all rows of the list are looked at. */
  #below(healthFactor: number, factors: Factors, drop: HealthDrop | undefined): number[] {
    const thresholds = drop && thresholdsOf(healthFactor * (1 + FLOAT32_MARGIN), drop);
    const among = thresholds ? this.#select(thresholds, this.#rows) : this.#rows;
    return this.#table.below(healthFactor, factors, among);
  }

  #makeList(thresholds: Thresholds): void {
    this.#thresholds = thresholds;
    this.#rows = this.#select(thresholds);
    this.#listed.fill(0);
    for (const row of this.#rows) this.#listed[row] = 1;
  }

  /**
   * The rows below their threshold and the rows whose health factor cannot be computed, out of `among` or of
   * all rows.
   */
  #select({ movedMarks, holders, others }: Thresholds, among?: Rows): Rows {
    const health = this.#health;
    const marks = this.#table.marks;
    const count = among ? among.length : this.#table.rowCount;
    let selected = new Uint32Array(among ? count : Math.max(1024, 2 * this.#rows.length));
    let used = 0;
    for (let index = 0; index < count; index++) {
      const row = among ? (among[index] ?? 0) : index;
      const threshold = ((marks[row] ?? 0) & movedMarks) === 0 ? others : holders;
      if ((health[row] ?? NaN) >= threshold) continue;
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
    const capacity = 2 * this.#table.rowCount;
    const [health, listed] = [new Float32Array(capacity), new Uint8Array(capacity)];
    health.set(this.#health);
    listed.set(this.#listed);
    [this.#health, this.#listed] = [health, listed];
  }
}

function thresholdsOf(healthFactor: number, { movedMarks, ofHolders, ofOthers }: HealthDrop): Thresholds {
  return { movedMarks, holders: healthFactor / ofHolders, others: healthFactor / ofOthers };
}

/** Whether so much has changed since the basis that a new full scan pays off. */
function needsNewBasis(drop: HealthDrop, before: HealthDrop): boolean {
  if (drop.ofOthers < 1 - LARGEST_DROP) return true;
  const moving = Math.abs(drop.ofHolders - before.ofHolders) > RESTING_CHANGE;
  return drop.ofHolders < 1 - LARGEST_DROP && !moving;
}
