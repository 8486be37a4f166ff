import type { Address } from '../../domain/hex.js';
import type { AaveAccount, Leg } from './market.js';
import {
  FLOAT_MARGIN,
  isDebt,
  isIdle,
  legKind,
  reserveMark,
  reserveOf,
  type Prefilter,
} from './prefilter.js';

/**
 * Deleted legs leave holes, and a scan reads the holes too. The holes are closed when they are more than this
 * share of the legs.
 */
const COMPACT_ABOVE = 0.25;
/**
 * The comparison uses twice the collateral and twice the debt, so the slack counts twice. It counts twice
 * again: once for the rounding when the health was noted, and once for the rounding at a later block, see
 * {@link Prefilter.worstDropSince}.
 */
const SLACK_WEIGHT = 4;
const LOW_64_BITS = (1n << 64n) - 1n;

/** Numbers of rows. A row keeps its number as long as its account is in the table. */
export type Rows = Uint32Array;

/**
 * Every account with debt, stored in columns. A million accounts take 140 MB, and one scan of them takes
 * milliseconds. The scan computes with floats and only preselects. Scaled amounts are kept exact to the unit.
 */
export class PositionTable {
  private readonly rowOfAddress = new Map<Address, number>();
  private readonly freeRows: number[] = [];
  // One entry a row.
  private addresses: (Address | undefined)[] = [];
  private first = new Uint32Array(16);
  private legCount = new Uint16Array(16);
  private room = new Uint16Array(16);
  private categories = new Uint8Array(16);
  private marks = new Uint32Array(16);
  // One entry a leg.
  private kinds = new Uint32Array(64);
  private amounts = new Float64Array(64);
  private low = new BigUint64Array(64);
  private high = new BigUint64Array(64);
  private legsUsed = 0;
  private readonly debts = new Map<number, bigint>();
  private legsAlive = 0;

  get size(): number {
    return this.rowOfAddress.size;
  }

  /** The sum of the scaled debts of all accounts, by reserve id. */
  get scaledDebts(): ReadonlyMap<number, bigint> {
    return this.debts;
  }

  /** All row numbers are below it. */
  get rowCount(): number {
    return this.addresses.length;
  }

  /** Adds an account, or replaces it. */
  set(account: AaveAccount): void {
    const { address, eMode, legs } = account;
    const sides = legs.flatMap((leg) => sidesOf(eMode, leg));
    let row = this.rowOfAddress.get(address);
    if (row === undefined) {
      row = this.freeRows.pop() ?? this.addresses.length;
      this.growRows(row + 1);
      this.rowOfAddress.set(address, row);
      this.addresses[row] = address;
      this.legCount[row] = 0;
      this.room[row] = 0;
    }
    this.addDebts(row, -1n);
    this.legsAlive += sides.length - (this.legCount[row] ?? 0);
    if (sides.length > (this.room[row] ?? 0)) {
      this.growLegs(this.legsUsed + sides.length);
      this.first[row] = this.legsUsed;
      this.room[row] = sides.length;
      this.legsUsed += sides.length;
    }
    this.legCount[row] = sides.length;
    this.categories[row] = eMode;
    const start = this.first[row] ?? 0;
    for (const [index, { kind, scaled }] of sides.entries()) this.writeLeg(start + index, kind, scaled);
    this.addDebts(row, 1n);
    this.marks[row] = sides.reduce(
      (marks, { kind }) => (isIdle(kind) ? marks : marks | reserveMark(kind)),
      0,
    );
    if (this.legsUsed > 1024 && this.legsAlive < this.legsUsed * (1 - COMPACT_ABOVE)) this.compact();
  }

  delete(address: Address): void {
    const row = this.rowOfAddress.get(address);
    if (row === undefined) return;
    this.rowOfAddress.delete(address);
    this.addDebts(row, -1n);
    this.addresses[row] = undefined;
    this.legsAlive -= this.legCount[row] ?? 0;
    this.legCount[row] = 0;
    this.room[row] = 0;
    this.freeRows.push(row);
  }

  get(address: Address): AaveAccount | undefined {
    const row = this.rowOfAddress.get(address);
    return row === undefined ? undefined : this.accountIn(row);
  }

  rowOf(address: Address): number | undefined {
    return this.rowOfAddress.get(address);
  }

  keys(): IterableIterator<Address> {
    return this.rowOfAddress.keys();
  }

  /** The account of a row; undefined where there is none. */
  accountIn(row: number): AaveAccount | undefined {
    const address = this.addresses[row];
    if (address === undefined) return undefined;
    const legs: Leg[] = [];
    const start = this.first[row] ?? 0;
    const end = start + (this.legCount[row] ?? 0);
    for (let index = start; index < end; index++) {
      const kind = this.kinds[index] ?? 0;
      const reserveId = reserveOf(kind);
      const scaled = this.scaledOf(index);
      const last = legs.at(-1);
      if (!isDebt(kind))
        legs.push({ reserveId, scaledSupply: scaled, usedAsCollateral: !isIdle(kind), scaledDebt: 0n });
      // When a reserve has both, its debt stands right behind its supply.
      else if (last?.reserveId === reserveId) legs[legs.length - 1] = { ...last, scaledDebt: scaled };
      else legs.push({ reserveId, scaledSupply: 0n, usedAsCollateral: false, scaledDebt: scaled });
    }
    return { address, eMode: this.categories[row] ?? 0, legs };
  }

  /**
   * By row, the {@link reserveMark}s of the legs that count for its health. Valid until the table changes.
   * Without meaning for an empty row.
   */
  get reserveMarks(): Uint32Array {
    return this.marks;
  }

  /**
   * Every row whose health factor is below `healthFactor` or cannot be computed, and a few other rows. One
   * scan of the columns with floats; the limit is widened by what rounding can change in a leg.
   *
   * @param among only these rows are scanned.
   */
  below(healthFactor: number, prefilter: Prefilter, among?: Rows): number[] {
    const found: number[] = [];
    const limit = healthFactor * (1 + FLOAT_MARGIN);
    const count = among ? among.length : this.addresses.length;
    for (let index = 0; index < count; index++) {
      const row = among ? (among[index] ?? 0) : index;
      // NaN is never at or above the limit, so it is selected.
      if (!(this.leastHealth(row, prefilter) >= limit)) found.push(row);
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
  leastHealths(prefilter: Prefilter, into: Float32Array, among?: Rows): void {
    const count = among ? among.length : this.addresses.length;
    for (let index = 0; index < count; index++) {
      const row = among ? (among[index] ?? 0) : index;
      into[row] = this.leastHealth(row, prefilter);
    }
  }

  /** Infinity for a row without an account. */
  private leastHealth(row: number, { factors, slackUsd8 }: Prefilter): number {
    const { kinds, amounts } = this;
    const start = this.first[row] ?? 0;
    const end = start + (this.legCount[row] ?? 0);
    let net = 0;
    let gross = 0;
    let slack = 0;
    for (let leg = start; leg < end; leg++) {
      const kind = kinds[leg] ?? 0;
      const value = (amounts[leg] ?? 0) * (factors[kind] ?? 0);
      net += value;
      gross += Math.abs(value);
      slack += slackUsd8[kind] ?? 0;
    }
    if (gross === 0 && slack === 0) return Infinity;
    // gross + net is twice the collateral, gross - net twice the debt.
    return (gross + net - SLACK_WEIGHT * slack) / (gross - net + SLACK_WEIGHT * slack);
  }

  private writeLeg(index: number, kind: number, scaled: bigint): void {
    this.kinds[index] = kind;
    this.amounts[index] = Number(scaled);
    this.low[index] = scaled & LOW_64_BITS;
    this.high[index] = scaled >> 64n;
  }

  private addDebts(row: number, sign: 1n | -1n): void {
    const start = this.first[row] ?? 0;
    const end = start + (this.legCount[row] ?? 0);
    for (let leg = start; leg < end; leg++) {
      const kind = this.kinds[leg] ?? 0;
      if (!isDebt(kind)) continue;
      const reserveId = reserveOf(kind);
      this.debts.set(reserveId, (this.debts.get(reserveId) ?? 0n) + sign * this.scaledOf(leg));
    }
  }

  private scaledOf(leg: number): bigint {
    const high = this.high[leg] ?? 0n;
    const low = this.low[leg] ?? 0n;
    return high === 0n ? low : (high << 64n) | low;
  }

  private growRows(rows: number): void {
    if (rows <= this.first.length) return;
    const capacity = 2 * rows;
    this.first = grown(this.first, new Uint32Array(capacity));
    this.legCount = grown(this.legCount, new Uint16Array(capacity));
    this.room = grown(this.room, new Uint16Array(capacity));
    this.categories = grown(this.categories, new Uint8Array(capacity));
    this.marks = grown(this.marks, new Uint32Array(capacity));
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
    for (let row = 0; row < this.addresses.length; row++) {
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

function sidesOf(
  eMode: number,
  { reserveId, scaledSupply, usedAsCollateral, scaledDebt }: Leg,
): { kind: number; scaled: bigint }[] {
  const side = usedAsCollateral ? 'collateral' : 'idle';
  return [
    ...(scaledSupply > 0n || usedAsCollateral
      ? [{ kind: legKind(eMode, reserveId, side), scaled: scaledSupply }]
      : []),
    ...(scaledDebt > 0n ? [{ kind: legKind(eMode, reserveId, 'debt'), scaled: scaledDebt }] : []),
  ];
}

function grown<T extends Uint8Array | Uint16Array | Uint32Array | Float64Array | BigUint64Array>(
  old: T,
  larger: T,
): T {
  // A typed array's set() takes an array of the same type. The union type hides this from the compiler.
  (larger.set as (source: T) => void).call(larger, old);
  return larger;
}
