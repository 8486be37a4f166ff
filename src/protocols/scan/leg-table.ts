import type { Factors } from './factors.js';
import { isDebt, isIdle, markOf } from './kinds.js';

/**
 * The error of a float sum stays below 1e-14 of the sum. A position this close to the limit is selected and
 * computed exactly.
 */
const FLOAT_MARGIN = 1e-12;

/**
 * Deleted legs leave holes, and a scan reads the holes too. The holes are closed when they are more than this
 * share of the legs.
 */
const COMPACT_ABOVE = 0.25;
/**
 * The comparison uses twice the collateral and twice the debt, so the slack counts twice. It counts twice
 * again: once for the rounding when the health was noted, and once for the rounding at a later block, see
 * {@link Factors.worstDropSince}.
 */
const SLACK_WEIGHT = 4;
const LOW_64_BITS = (1n << 64n) - 1n;
const TOO_LARGE = 1n << 128n;

/** Numbers of rows. A row keeps its number as long as its key is in the table. */
export type Rows = Uint32Array;

/** One side of a position. */
export interface RowLeg {
  /** See kinds.ts. */
  readonly kind: number;
  /** Below 2^128. */
  readonly exact: bigint;
  /** The amount that is multiplied by the factor of the kind; absent: that of `exact`. */
  readonly amount?: number;
}

/**
 * Positions in columns: a row each, found by its key. A million of them take 140 MB, and one scan of them
 * takes milliseconds. The scan computes with floats and only preselects. Amounts are kept exact to the unit.
 */
export class LegTable<Key extends string | number> {
  private readonly rowOfKey = new Map<Key, number>();
  private readonly freeRows: number[] = [];
  // One entry a row.
  private rowKeys: (Key | undefined)[] = [];
  private first = new Uint32Array(16);
  private legCount = new Uint16Array(16);
  /** Without the idle legs at the end of the row, which a scan need not read. */
  private scanned = new Uint16Array(16);
  private room = new Uint16Array(16);
  private rowMarks = new Uint32Array(16);
  // One entry a leg.
  private kinds = new Uint32Array(64);
  private amounts = new Float64Array(64);
  private low = new BigUint64Array(64);
  private high = new BigUint64Array(64);
  private legsUsed = 0;
  private readonly debts = new Map<number, bigint>();
  private legsAlive = 0;

  get size(): number {
    return this.rowOfKey.size;
  }

  /** The exact sum of the debts of all rows, by kind. */
  get debtsByKind(): ReadonlyMap<number, bigint> {
    return this.debts;
  }

  /** All row numbers are below it. */
  get rowCount(): number {
    return this.rowKeys.length;
  }

  /** Adds a position, or replaces it. @returns its row. @throws RangeError when an amount does not fit. */
  set(key: Key, legs: readonly RowLeg[]): number {
    for (const { exact } of legs)
      if (exact < 0n || exact >= TOO_LARGE)
        throw new RangeError(`an amount of ${String(exact)} does not fit into 128 bits`);
    let row = this.rowOfKey.get(key);
    if (row === undefined) {
      row = this.freeRows.pop() ?? this.rowKeys.length;
      this.growRows(row + 1);
      this.rowOfKey.set(key, row);
      this.rowKeys[row] = key;
      this.legCount[row] = 0;
      this.room[row] = 0;
    }
    this.addDebts(row, -1n);
    this.legsAlive += legs.length - (this.legCount[row] ?? 0);
    if (legs.length > (this.room[row] ?? 0)) {
      this.growLegs(this.legsUsed + legs.length);
      this.first[row] = this.legsUsed;
      this.room[row] = legs.length;
      this.legsUsed += legs.length;
    }
    this.legCount[row] = legs.length;
    const start = this.first[row] ?? 0;
    for (const [index, leg] of legs.entries()) this.writeLeg(start + index, leg);
    this.scanned[row] = legs.findLastIndex(({ kind }) => !isIdle(kind)) + 1;
    this.addDebts(row, 1n);
    this.rowMarks[row] = legs.reduce((marks, { kind }) => (isIdle(kind) ? marks : marks | markOf(kind)), 0);
    if (this.legsUsed > 1024 && this.legsAlive < this.legsUsed * (1 - COMPACT_ABOVE)) this.compact();
    return row;
  }

  delete(key: Key): void {
    const row = this.rowOfKey.get(key);
    if (row === undefined) return;
    this.rowOfKey.delete(key);
    this.addDebts(row, -1n);
    this.rowKeys[row] = undefined;
    this.legsAlive -= this.legCount[row] ?? 0;
    this.legCount[row] = 0;
    this.scanned[row] = 0;
    this.room[row] = 0;
    this.freeRows.push(row);
  }

  rowOf(key: Key): number | undefined {
    return this.rowOfKey.get(key);
  }

  /** Undefined for an empty row. */
  keyOf(row: number): Key | undefined {
    return this.rowKeys[row];
  }

  keys(): IterableIterator<Key> {
    return this.rowOfKey.keys();
  }

  /** The legs of a row as they were set, without their float amounts; none for an empty row. */
  legsOf(row: number): { readonly kind: number; readonly exact: bigint }[] {
    const start = this.first[row] ?? 0;
    const legs = [];
    for (let index = start; index < start + (this.legCount[row] ?? 0); index++)
      legs.push({ kind: this.kinds[index] ?? 0, exact: this.exactOf(index) });
    return legs;
  }

  /**
   * By row, the marks of the legs that count for its health, see {@link markOf}. Valid until the table
   * changes. Without meaning for an empty row.
   */
  get marks(): Uint32Array {
    return this.rowMarks;
  }

  /**
   * Every row whose health factor is below `healthFactor` or cannot be computed, and a few other rows. One
   * scan of the columns with floats; the limit is widened by what rounding can change in a leg.
   *
   * @param among only these rows are scanned.
   */
  below(healthFactor: number, factors: Factors, among?: Rows): number[] {
    const found: number[] = [];
    const limit = Math.min(healthFactor * (1 + FLOAT_MARGIN), Number.MAX_VALUE);
    // A leg's slack counts on both sides, which is half as often on each.
    const weights = factors.weights(limit, SLACK_WEIGHT / 2);
    const { kinds, amounts, first, scanned } = this;
    const count = among ? among.length : this.rowKeys.length;
    for (let index = 0; index < count; index++) {
      const row = among ? (among[index] ?? 0) : index;
      const start = first[row] ?? 0;
      const end = start + (scanned[row] ?? 0);
      // As leastHealth computes it, multiplied out: this loop is what a change of a price costs.
      let left = 0;
      for (let leg = start; leg < end; leg++) {
        const at = 2 * (kinds[leg] ?? 0);
        left += (amounts[leg] ?? 0) * (weights[at] ?? 0) - (weights[at + 1] ?? 0);
      }
      // NaN is never at or above 0, so it is selected.
      if (!(left >= 0)) found.push(row);
    }
    return found;
  }

  /**
   * For each row a lower bound of its health factor, as {@link below} uses it. NaN where it cannot be
   * computed.
   *
   * @param into one entry a row.
   * @param among only these rows are scanned.
   */
  leastHealths(factors: Factors, into: Float32Array, among?: Rows): void {
    const count = among ? among.length : this.rowKeys.length;
    for (let index = 0; index < count; index++) {
      const row = among ? (among[index] ?? 0) : index;
      into[row] = this.leastHealth(row, factors);
    }
  }

  /** A lower bound of a row's health factor, see {@link below}. Infinity for an empty row. */
  leastHealth(row: number, { values, slacks }: Factors): number {
    const { kinds, amounts } = this;
    const start = this.first[row] ?? 0;
    const end = start + (this.legCount[row] ?? 0);
    let net = 0;
    let gross = 0;
    let slack = 0;
    for (let leg = start; leg < end; leg++) {
      const kind = kinds[leg] ?? 0;
      const value = (amounts[leg] ?? 0) * (values[kind] ?? 0);
      net += value;
      gross += Math.abs(value);
      slack += slacks[kind] ?? 0;
    }
    if (gross === 0 && slack === 0) return Infinity;
    // gross + net is twice the collateral, gross - net twice the debt.
    return (gross + net - SLACK_WEIGHT * slack) / (gross - net + SLACK_WEIGHT * slack);
  }

  private writeLeg(index: number, { kind, exact, amount = Number(exact) }: RowLeg): void {
    this.kinds[index] = kind;
    this.amounts[index] = amount;
    this.low[index] = exact & LOW_64_BITS;
    this.high[index] = exact >> 64n;
  }

  private addDebts(row: number, sign: 1n | -1n): void {
    const start = this.first[row] ?? 0;
    const end = start + (this.legCount[row] ?? 0);
    for (let leg = start; leg < end; leg++) {
      const kind = this.kinds[leg] ?? 0;
      if (isDebt(kind)) this.debts.set(kind, (this.debts.get(kind) ?? 0n) + sign * this.exactOf(leg));
    }
  }

  private exactOf(leg: number): bigint {
    const high = this.high[leg] ?? 0n;
    const low = this.low[leg] ?? 0n;
    return high === 0n ? low : (high << 64n) | low;
  }

  private growRows(rows: number): void {
    if (rows <= this.first.length) return;
    const capacity = 2 * rows;
    this.first = grown(this.first, new Uint32Array(capacity));
    this.legCount = grown(this.legCount, new Uint16Array(capacity));
    this.scanned = grown(this.scanned, new Uint16Array(capacity));
    this.room = grown(this.room, new Uint16Array(capacity));
    this.rowMarks = grown(this.rowMarks, new Uint32Array(capacity));
  }

  private growLegs(legs: number): void {
    if (legs <= this.kinds.length) return;
    const capacity = 2 * legs;
    this.kinds = grown(this.kinds, new Uint32Array(capacity));
    this.amounts = grown(this.amounts, new Float64Array(capacity));
    this.low = grown(this.low, new BigUint64Array(capacity));
    this.high = grown(this.high, new BigUint64Array(capacity));
  }

  /** Moves the legs together, in the order of the rows: the scan reads them in this order. */
  private compact(): void {
    const { kinds, amounts, low, high } = this;
    const capacity = Math.max(64, Math.ceil(this.legsAlive * 1.25));
    this.kinds = new Uint32Array(capacity);
    this.amounts = new Float64Array(capacity);
    this.low = new BigUint64Array(capacity);
    this.high = new BigUint64Array(capacity);
    let used = 0;
    for (let row = 0; row < this.rowKeys.length; row++) {
      const start = this.first[row] ?? 0;
      const count = this.legCount[row] ?? 0;
      this.kinds.set(kinds.subarray(start, start + count), used);
      this.amounts.set(amounts.subarray(start, start + count), used);
      this.low.set(low.subarray(start, start + count), used);
      this.high.set(high.subarray(start, start + count), used);
      this.first[row] = used;
      this.room[row] = count;
      used += count;
    }
    this.legsUsed = used;
  }
}

function grown<T extends Uint8Array | Uint16Array | Uint32Array | Float64Array | BigUint64Array>(
  old: T,
  larger: T,
): T {
  // A typed array's set() takes an array of the same type. The union type hides this from the compiler.
  (larger.set as (source: T) => void).call(larger, old);
  return larger;
}
