import { describe, expect, it } from 'vitest';
import type { Address } from '../domain/hex.js';
import { AccountBook, type AccountRules } from './account-book.js';

interface Debtor {
  readonly address: Address;
  readonly debt: number;
}
interface Borrow {
  readonly of: Address;
  readonly amount: number;
}

const [ALICE, BOB] = ['0xa', '0xb'] as const;

function bookOf(...debtors: Debtor[]) {
  let applied = 0;
  const rules: AccountRules<Debtor, Borrow> = {
    apply: (changes, known) => {
      applied++;
      const changed = new Map<Address, Debtor>();
      const newBorrowers = new Set<Address>();
      for (const { of, amount } of changes) {
        const before = changed.get(of) ?? known(of);
        if (before) changed.set(of, { address: of, debt: before.debt + amount });
        else newBorrowers.add(of);
      }
      return { changed, newBorrowers, contradicted: new Set() };
    },
    hasDebt: ({ debt }) => debt > 0,
    encode: ({ debt }) => String(debt),
    decode: (address, stored) => ({ address, debt: Number(stored) }),
  };
  const accounts = new Map<Address, Debtor>();
  const table = {
    get size() {
      return accounts.size;
    },
    get: (address: Address) => accounts.get(address),
    set: (account: Debtor) => void accounts.set(account.address, account),
    delete: (address: Address) => void accounts.delete(address),
    keys: () => accounts.keys(),
  };
  const book = new AccountBook(table, rules);
  book.restore(debtors);
  return { book, debtOf: (address: Address) => accounts.get(address)?.debt, timesApplied: () => applied };
}

describe('the changes of a block, between preparing and committing it', () => {
  const changes = [{ of: ALICE, amount: 5 }];

  it('are applied once while nothing else happens, and can be taken back', () => {
    const { book, debtOf, timesApplied } = bookOf({ address: ALICE, debt: 10 });
    expect(book.unknownIn(changes).unknown).toEqual([]);
    const undo = book.commit(changes, []);
    expect(timesApplied()).toBe(1);
    expect(debtOf(ALICE)).toBe(15);
    book.undo(undo);
    expect(debtOf(ALICE)).toBe(10);
  });

  it('are applied to an account that was adopted meanwhile', () => {
    const { book, debtOf } = bookOf({ address: BOB, debt: 1 });
    expect(book.unknownIn(changes).unknown).toEqual([ALICE]);
    book.adopt([{ address: ALICE, debt: 10 }], [], undefined);
    book.commit(changes, []);
    expect(debtOf(ALICE)).toBe(15);
  });

  it('are not applied to an account that was forgotten meanwhile', () => {
    const { book, debtOf } = bookOf({ address: ALICE, debt: 10 });
    book.unknownIn(changes);
    book.forget([ALICE]);
    book.commit(changes, []);
    expect(debtOf(ALICE)).toBeUndefined();
    expect(book.isWhole).toBe(false);
  });

  it('are not applied to an account that was read at the end of the block', () => {
    const { book, debtOf } = bookOf({ address: BOB, debt: 1 });
    book.unknownIn(changes);
    book.commit(changes, [{ address: ALICE, debt: 15 }]);
    expect(debtOf(ALICE)).toBe(15);
  });

  it('are not those of another block that was prepared later', () => {
    const { book, debtOf } = bookOf({ address: ALICE, debt: 10 });
    book.unknownIn(changes);
    book.unknownIn([{ of: ALICE, amount: 100 }]);
    book.commit(changes, []);
    expect(debtOf(ALICE)).toBe(15);
  });
});
