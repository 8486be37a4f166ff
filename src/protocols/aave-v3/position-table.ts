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
 * Rows are never scanned twice as long as they have to be: holes are closed when a quarter of the legs is
 * holes.
 */
const COMPACT_ABOVE = 0.25;
/**
 * Twice the collateral and twice the debt are compared, and there the slack counts twice: once for what
 * rounding may have made of the legs when their health was noted, and once for what it makes of them at a
 * later block, see {@link Prefilter.fallSince}.
 */
const SLACK_WEIGHT = 4;
const LOW_64_BITS = (1n << 64n) - 1n;

/** Numbers of rows. A row keeps its number as long as its account is in the table. */
export type Rows = Uint32Array;

/**
 * Every account with debt, in columns: those of a million accounts are 140 MB, and one pass over them takes
 * milliseconds. The pass computes with floats and only preselects; scaled amounts are kept to the unit and
 * come out again as they went in.
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
  private legsAlive = 0;

  get size(): number {
    return this.rowOfAddress.size;
  }

  /** One more than the highest row in use. */
  get rowCount(): number {
    return this.addresses.length;
  }

  /** Puts an account in, or in the place of what was known of it. */
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
      const high = this.high[index] ?? 0n;
      const low = this.low[index] ?? 0n;
      const scaled = high === 0n ? low : (high << 64n) | low;
      const last = legs.at(-1);
      if (!isDebt(kind))
        legs.push({ reserveId, scaledSupply: scaled, usedAsCollateral: !isIdle(kind), scaledDebt: 0n });
      // A reserve's debt stands right behind its supply, if it has both.
      else if (last?.reserveId === reserveId) legs[legs.length - 1] = { ...last, scaledDebt: scaled };
      else legs.push({ reserveId, scaledSupply: 0n, usedAsCollateral: false, scaledDebt: scaled });
    }
    return { address, eMode: this.categories[row] ?? 0, legs };
  }

  /**
   * By row, the {@link reserveMark}s of what counts for its health. Valid until the table changes; of no
   * meaning for an empty row.
   */
  get reserveMarks(): Uint32Array {
    return this.marks;
  }

  /**
   * Every row whose health factor is below `healthFactor` or cannot be computed, and few whose is not: one
   * pass over the columns with floats, widened by what rounding can make of a leg.
   *
   * @param among looks at these rows only.
   */
  below(healthFactor: number, prefilter: Prefilter, among?: Rows): number[] {
    const found: number[] = [];
    const limit = healthFactor * (1 + FLOAT_MARGIN);
    const count = among ? among.length : this.addresses.length;
    for (let index = 0; index < count; index++) {
      const row = among ? (among[index] ?? 0) : index;
      // NaN is never above: it is selected.
      if (!(this.leastHealth(row, prefilter) >= limit)) found.push(row);
    }
    return found;
  }

  /**
   * For each row what its health factor is not below, as {@link below} sees it; NaN where it cannot be
   * computed.
   *
   * @param into one entry a row.
   * @param among looks at these rows only.
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

  /** Moves the legs together in the order of the rows, which is the order of the scan. */
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
  // A typed array's set() takes any of its own kind, which the union hides from the compiler.
  (larger.set as (source: T) => void).call(larger, old);
  return larger;
}
