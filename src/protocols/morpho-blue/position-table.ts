import type { Address, Hash } from '../../domain/hex.js';
import type { AccountTable } from '../account-book.js';
import { isDebt, legKind, THINGS } from '../scan/kinds.js';
import { LegTable } from '../scan/leg-table.js';
import type { BlueAccount, BlueLeg, BluePosition } from './market.js';

/** Of a row: a number of its position. Another position gets it when this one is gone. */
export type RowKey = number;

/** A position with its place in the table. */
export interface TablePosition {
  readonly key: RowKey;
  readonly borrower: Address;
  readonly marketId: Hash;
  readonly position: BluePosition;
}

/** Every account with debt, with a row for each of its markets. Amounts are kept exact to the unit. */
export class PositionTable implements AccountTable<BlueAccount> {
  readonly rows = new LegTable<RowKey>();
  private readonly numbers = new Map<Hash, number>();
  private readonly ids: Hash[] = [];
  /** In the order of the legs of an account. */
  private readonly keysByAccount = new Map<Address, readonly RowKey[]>();
  private readonly freeKeys: RowKey[] = [];
  // One entry a key.
  private readonly borrowers: Address[] = [];
  private readonly markets: number[] = [];
  /** To look a row up by its key costs more than to read it. */
  private readonly rowOfKey: number[] = [];

  get size(): number {
    return this.keysByAccount.size;
  }

  keys(): IterableIterator<Address> {
    return this.keysByAccount.keys();
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
    const before = this.keysOf(address);
    const keys = legs.map(({ marketId, collateral, borrowShares }) => {
      const number = this.numberOf(marketId);
      const key = before.find((one) => this.markets[one] === number) ?? this.newKey(address, number);
      this.rowOfKey[key] = this.rows.set(key, [
        { kind: legKind(number, 'collateral'), exact: collateral },
        { kind: legKind(number, 'debt'), exact: borrowShares },
      ]);
      return key;
    });
    for (const key of before) if (!keys.includes(key)) this.free(key);
    const isSame = keys.length === before.length && keys.every((key, index) => key === before[index]);
    if (!isSame) this.keysByAccount.set(address, keys);
  }

  delete(address: Address): void {
    for (const key of this.keysOf(address)) this.free(key);
    this.keysByAccount.delete(address);
  }

  /** Its address is the table's own string, which is found faster than an equal one. */
  get(address: Address): BlueAccount | undefined {
    const keys = this.keysByAccount.get(address);
    if (!keys) return undefined;
    const legs: BlueLeg[] = [];
    for (const key of keys) {
      const { collateral, borrowShares } = this.positionOf(this.rowOf(key));
      if (borrowShares > 0n) legs.push({ marketId: this.marketOf(key), collateral, borrowShares });
    }
    return { address: this.borrowers[keys[0] ?? -1] ?? address, legs };
  }

  keysOf(address: Address): readonly RowKey[] {
    return this.keysByAccount.get(address) ?? [];
  }

  /** Borrower, market and position of a row; undefined for an empty row. */
  positionIn(row: number): TablePosition | undefined {
    const key = this.rows.keyOf(row);
    const borrower = key === undefined ? undefined : this.borrowers[key];
    if (key === undefined || borrower === undefined) return undefined;
    return { key, borrower, marketId: this.marketOf(key), position: this.positionOf(row) };
  }

  /** The position of an account in a market. */
  positionFor(address: Address, marketId: Hash): TablePosition | undefined {
    const key = this.keysOf(address).find((one) => this.marketOf(one) === marketId);
    return key === undefined ? undefined : this.positionWith(key);
  }

  positionWith(key: RowKey): TablePosition | undefined {
    const row = this.rows.rowOf(key);
    return row === undefined ? undefined : this.positionIn(row);
  }

  /** The sum of the borrow shares of all accounts in a market. */
  borrowSharesIn(marketId: Hash): bigint {
    const number = this.numbers.get(marketId);
    return number === undefined ? 0n : (this.rows.debtsByKind.get(legKind(number, 'debt')) ?? 0n);
  }

  private newKey(borrower: Address, market: number): RowKey {
    const key = this.freeKeys.pop() ?? this.borrowers.length;
    this.borrowers[key] = borrower;
    this.markets[key] = market;
    return key;
  }

  private free(key: RowKey): void {
    this.rows.delete(key);
    this.freeKeys.push(key);
  }

  /** Of a key that is in use. */
  private rowOf(key: RowKey): number {
    return this.rowOfKey[key] ?? -1;
  }

  private positionOf(row: number): BluePosition {
    let [collateral, borrowShares] = [0n, 0n];
    for (const { kind, exact } of this.rows.legsOf(row))
      if (isDebt(kind)) borrowShares = exact;
      else collateral = exact;
    return { collateral, borrowShares };
  }

  private marketOf(key: RowKey): Hash {
    const id = this.ids[this.markets[key] ?? -1];
    if (id === undefined) throw new RangeError(`the position ${key} is of no market`);
    return id;
  }
}
