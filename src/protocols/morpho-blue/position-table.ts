import type { Address, Hash } from '../../domain/hex.js';
import type { AccountTable } from '../account-book.js';
import { isDebt, legKind, THINGS } from '../scan/kinds.js';
import { LegTable } from '../scan/leg-table.js';
import type { BlueAccount, BlueLeg, BluePosition } from './market.js';

/** Of a row: the borrower, and the number of the market. */
export type RowKey = `${Address}-${number}`;

/** Every account with debt, with a row for each of its markets. Amounts are kept exact to the unit. */
export class PositionTable implements AccountTable<BlueAccount> {
  readonly rows = new LegTable<RowKey>();
  private readonly numbers = new Map<Hash, number>();
  private readonly ids: Hash[] = [];
  /** In the order of the legs of an account. */
  private readonly marketsOf = new Map<Address, readonly number[]>();

  get size(): number {
    return this.marketsOf.size;
  }

  keys(): IterableIterator<Address> {
    return this.marketsOf.keys();
  }

  /** The number of a market in the table. @throws RangeError when there are too many markets. */
  numberOf(marketId: Hash): number {
    let number = this.numbers.get(marketId);
    if (number === undefined) {
      number = this.ids.length;
      if (number >= THINGS) throw new RangeError(`there are more than ${THINGS} markets`);
      this.numbers.set(marketId, number);
      this.ids.push(marketId);
    }
    return number;
  }

  set({ address, legs }: BlueAccount): void {
    const markets = legs.map(({ marketId }) => this.numberOf(marketId));
    for (const old of this.marketsOf.get(address) ?? [])
      if (!markets.includes(old)) this.rows.delete(`${address}-${old}`);
    for (const { marketId, collateral, borrowShares } of legs) {
      const number = this.numberOf(marketId);
      this.rows.set(`${address}-${number}`, [
        { kind: legKind(number, 'collateral'), exact: collateral },
        { kind: legKind(number, 'debt'), exact: borrowShares },
      ]);
    }
    this.marketsOf.set(address, markets);
  }

  delete(address: Address): void {
    for (const number of this.marketsOf.get(address) ?? []) this.rows.delete(`${address}-${number}`);
    this.marketsOf.delete(address);
  }

  get(address: Address): BlueAccount | undefined {
    const markets = this.marketsOf.get(address);
    if (!markets) return undefined;
    const legs: BlueLeg[] = [];
    for (const number of markets) {
      const row = this.rows.rowOf(`${address}-${number}`);
      if (row === undefined) continue;
      const { collateral, borrowShares } = this.positionOf(row);
      if (borrowShares > 0n) legs.push({ marketId: this.idOf(number), collateral, borrowShares });
    }
    return { address, legs };
  }

  keysOf(address: Address): RowKey[] {
    return (this.marketsOf.get(address) ?? []).map((number): RowKey => `${address}-${number}`);
  }

  /** Borrower, market and position of a row; undefined for an empty row. */
  positionIn(
    row: number,
  ): { readonly borrower: Address; readonly marketId: Hash; readonly position: BluePosition } | undefined {
    const key = this.rows.keyOf(row);
    if (key === undefined) return undefined;
    const borrower: Address = `0x${key.slice(2, 42)}`;
    return { borrower, marketId: this.idOf(Number(key.slice(43))), position: this.positionOf(row) };
  }

  /** The sum of the borrow shares of all accounts in a market. */
  borrowSharesIn(marketId: Hash): bigint {
    const number = this.numbers.get(marketId);
    return number === undefined ? 0n : (this.rows.debtsByKind.get(legKind(number, 'debt')) ?? 0n);
  }

  private positionOf(row: number): BluePosition {
    let [collateral, borrowShares] = [0n, 0n];
    for (const { kind, exact } of this.rows.legsOf(row))
      if (isDebt(kind)) borrowShares = exact;
      else collateral = exact;
    return { collateral, borrowShares };
  }

  private idOf(number: number): Hash {
    const id = this.ids[number];
    if (id === undefined) throw new RangeError(`there is no market ${number}`);
    return id;
  }
}
