import type { StoredPosition } from '../database/index.js';
import type { Address } from '../domain/hex.js';
import type { AccountChanges } from '../state/followed.js';

/** What some changes make of accounts. */
export interface AppliedChanges<Account> {
  /** The followed accounts that changed, as they are after the last change. */
  readonly changed: ReadonlyMap<Address, Account>;
  /** Accounts that are not followed and took debt. */
  readonly newBorrowers: ReadonlySet<Address>;
  /**
   * Accounts that gave away more than our books say they had: the books are wrong. They are not in `changed`.
   */
  readonly contradicted: ReadonlySet<Address>;
}

/** How a family keeps an account, and what a change of its logs does to it. */
export interface AccountRules<Account, Change> {
  /**
   * Applies the changes in their order, exact to the unit.
   *
   * @param known gives an account as it was before the first change; undefined for an account that is not
   *   followed.
   */
  apply(
    changes: readonly Change[],
    known: (address: Address) => Account | undefined,
  ): AppliedChanges<Account>;
  /** Only accounts with debt are followed. */
  hasDebt(account: Account): boolean;
  encode(account: Account): string;
  /** Undefined for a text that is not of {@link encode}. */
  decode(address: Address, stored: unknown): Account | undefined;
}

/** Where a family keeps its accounts. */
export interface AccountTable<Account> {
  readonly size: number;
  get(address: Address): Account | undefined;
  set(account: Account): void;
  delete(address: Address): void;
  keys(): IterableIterator<Address>;
}

/** Accounts as the chain has them, and those that have to be read for it. */
export interface SavedAccounts<Account> {
  readonly accounts: ReadonlyMap<Address, Account>;
  readonly undecodable: readonly Address[];
}

/** What changes make of the accounts that are followed. */
interface Outcome<Account, Change> extends AppliedChanges<Account> {
  readonly changes: readonly Change[];
  /** The accounts that were looked up, as they were before. */
  readonly asked: ReadonlyMap<Address, Account | undefined>;
}

/** What is needed to take a block's changes of accounts back. */
export interface AccountsUndo<Account, Change> {
  readonly before: ReadonlyMap<Address, Account | undefined>;
  /** Accounts that were read from the chain in this block. What they were before it is not known. */
  readonly read: Set<Address>;
  readonly changes: readonly Change[];
}

/**
 * The accounts of a market with debt, block by block. The logs keep them exact. An account that takes its
 * first debt, and one whose logs contradict the books, is read from the chain with the same block.
 */
export class AccountBook<Account extends { readonly address: Address }, Change> {
  /** Accounts that seem to have debt, but whose positions are not known. */
  private readonly missing = new Set<Address>();
  private touched = new Set<Address>();
  private unsaved = new Set<Address>();
  /** Of the block that was prepared last; undefined when an account has changed since. */
  private prepared: Outcome<Account, Change> | undefined;

  constructor(
    private readonly table: AccountTable<Account>,
    private readonly rules: AccountRules<Account, Change>,
  ) {}

  /** Whether the state of every followed account is known. */
  get isWhole(): boolean {
    return this.missing.size === 0;
  }

  decoded(saved: readonly StoredPosition[]): SavedAccounts<Account> {
    const accounts = new Map<Address, Account>();
    const undecodable: Address[] = [];
    for (const { account, state } of saved) {
      const decoded = this.rules.decode(account, state);
      if (decoded) accounts.set(account, decoded);
      else undecodable.push(account);
    }
    return { accounts, undecodable };
  }

  /**
   * The accounts that have to be read with a block or range that has these changes.
   *
   * @param saved what the range begins with; undefined: the accounts that are followed.
   */
  unknownIn(
    changes: readonly Change[],
    saved?: ReadonlyMap<Address, Account>,
  ): { readonly unknown: readonly Address[]; readonly contradicted: readonly Address[] } {
    const { newBorrowers, contradicted } = saved
      ? this.rules.apply(changes, (address) => saved.get(address))
      : (this.prepared = this.applied(changes));
    const missing = saved ? [] : this.missing;
    return {
      unknown: [...new Set([...newBorrowers, ...contradicted, ...missing])],
      contradicted: [...contradicted],
    };
  }

  /** Begins with these accounts, in place of everything that is followed. */
  restore(saved: Iterable<Account>): void {
    for (const address of [...this.table.keys()]) this.table.delete(address);
    for (const account of saved) if (this.rules.hasDebt(account)) this.table.set(account);
    this.missing.clear();
    this.unsaved = new Set();
    this.touched = new Set();
    this.prepared = undefined;
  }

  /** @param read accounts as the chain has them at the end of the block. */
  commit(changes: readonly Change[], read: readonly Account[]): AccountsUndo<Account, Change> {
    const before = new Map<Address, Account | undefined>();
    const asRead = new Set(read.map(({ address }) => address));
    // Accounts that were adopted after the block was prepared are followed as well.
    const isPrepared = this.prepared?.changes === changes && read.length === 0;
    const kept = isPrepared ? this.prepared : undefined;
    const { changed, contradicted, newBorrowers, asked } = kept ?? this.applied(changes, asRead);
    this.prepared = undefined;
    for (const address of [...changed.keys(), ...asRead, ...contradicted])
      before.set(address, asked.get(address) ?? this.table.get(address));
    for (const [address, account] of changed) this.set(address, account);
    for (const account of read) this.set(account.address, account);
    for (const address of asRead) this.missing.delete(address);
    this.forget([...contradicted, ...newBorrowers].filter((address) => !asRead.has(address)));
    return { before, read: asRead, changes };
  }

  undo({ before, read }: AccountsUndo<Account, Change>): void {
    for (const [address, account] of before) this.set(address, account);
    this.forget(read);
  }

  /** See {@link FollowedAccounts.adopt}. */
  adopt(
    read: readonly Account[],
    later: readonly AccountsUndo<Account, Change>[],
    tip: AccountsUndo<Account, Change> | undefined,
  ): void {
    const fresh = new Map(
      read.filter(({ address }) => !this.table.get(address)).map((account) => [account.address, account]),
    );
    for (const { changes } of later) {
      const { changed, contradicted } = this.rules.apply(changes, (address) => fresh.get(address));
      for (const [address, account] of changed) fresh.set(address, account);
      for (const address of contradicted) fresh.delete(address);
    }
    for (const [address, account] of fresh) {
      this.set(address, account);
      this.missing.delete(address);
      tip?.read.add(address);
    }
  }

  /** The state of these accounts is not known any more. */
  forget(accounts: Iterable<Address>): void {
    for (const account of accounts) {
      this.set(account, undefined);
      this.missing.add(account);
    }
  }

  /** The accounts that changed since this was asked last, for a watchlist. */
  takeTouched(): ReadonlySet<Address> {
    const { touched } = this;
    this.touched = new Set();
    return touched;
  }

  /** See {@link FollowedAccounts.takeChanges}. */
  takeChanges(): AccountChanges {
    const changed: StoredPosition[] = [];
    const gone: Address[] = [];
    for (const address of this.unsaved) {
      const account = this.table.get(address);
      if (account) changed.push({ account: address, state: this.rules.encode(account) });
      else gone.push(address);
    }
    this.unsaved = new Set();
    return { changed, gone };
  }

  /** @param asRead accounts of which these changes are known already. */
  private applied(changes: readonly Change[], asRead?: ReadonlySet<Address>): Outcome<Account, Change> {
    const asked = new Map<Address, Account | undefined>();
    const applied = this.rules.apply(changes, (address) => {
      if (asRead?.has(address)) return undefined;
      const account = this.table.get(address);
      asked.set(address, account);
      return account;
    });
    return { ...applied, changes, asked };
  }

  private set(address: Address, account: Account | undefined): void {
    this.prepared = undefined;
    if (account && this.rules.hasDebt(account)) this.table.set(account);
    else this.table.delete(address);
    this.touched.add(address);
    this.unsaved.add(address);
  }
}
