import type { StoredPosition } from '../../database/index.js';
import type { Address, Hash } from '../../domain/hex.js';
import type { AccountPlaces } from '../../state/followed.js';
import type { PositionChange } from './account-changes.js';
import { addTo, type Wanted } from './morpho-blue.reader.js';
import type { PositionTable } from './position-table.js';
import { decodeAccount } from './stored-account.js';

/**
 * In which markets an account has to be read. Morpho has hundreds of markets, and a position can only be
 * asked by market and account: so what is known of an account is kept while its state is not.
 */
export class WantedLegs implements AccountPlaces {
  private readonly pending = new Map<Address, Set<Hash>>();
  /** Accounts that had to be read, and of which no market is known. */
  private readonly blind = new Set<Address>();
  /** Accounts that borrowed in markets that are not followed, as far as it is known. */
  private readonly elsewhere = new Set<Address>();

  constructor(
    private readonly table: PositionTable,
    private readonly isIgnored: (marketId: Hash) => boolean,
  ) {}

  get blindCount(): number {
    return this.blind.size;
  }

  /** Whether the account has been read in all markets in which it is known to have borrowed. */
  isRead(account: Address): boolean {
    return !this.pending.has(account);
  }

  placesIn({ account, state }: StoredPosition): readonly Hash[] {
    return decodeAccount(account, state)?.legs.map(({ marketId }) => marketId) ?? [];
  }

  /** The account borrowed in these markets. Those in which its position is followed are known. */
  found(account: Address, ids: Iterable<Hash>): void {
    const followed = new Set(this.table.get(account)?.legs.map(({ marketId }) => marketId));
    for (const id of ids) if (!followed.has(id) && !this.isIgnored(id)) addTo(this.pending, account, id);
    this.blind.delete(account);
  }

  /** The states of these accounts are about to be lost. */
  keep(accounts: Iterable<Address>): void {
    for (const account of accounts)
      for (const { marketId } of this.table.get(account)?.legs ?? []) addTo(this.pending, account, marketId);
  }

  /** The markets in which these accounts are to be read. */
  of(accounts: Iterable<Address>, changes: readonly PositionChange[] = []): Map<Address, Set<Hash>> {
    const wanted = new Map<Address, Set<Hash>>();
    for (const account of accounts) {
      const legs = this.table.get(account)?.legs.map(({ marketId }) => marketId) ?? [];
      wanted.set(account, new Set([...legs, ...(this.pending.get(account) ?? [])]));
    }
    for (const { borrower, marketId } of changes)
      if (!this.isIgnored(marketId)) wanted.get(borrower)?.add(marketId);
    return wanted;
  }

  /** It turned out that these markets are not followed. */
  withoutIgnored(wanted: ReadonlyMap<Address, Set<Hash>>, ignored: ReadonlySet<Hash>): void {
    for (const [account, ids] of wanted)
      for (const id of ids)
        if (ignored.has(id)) {
          ids.delete(id);
          this.elsewhere.add(account);
        }
  }

  /** These were read in these markets, or could not be: then the markets are kept. */
  settle(wanted: Wanted, read: ReadonlySet<Address>): void {
    for (const [account, ids] of wanted) {
      if (ids.size === 0 && !this.elsewhere.has(account)) this.blind.add(account);
      if (!read.has(account)) {
        for (const id of ids) addTo(this.pending, account, id);
        continue;
      }
      const left = [...(this.pending.get(account) ?? [])].filter((id) => !ids.has(id) && !this.isIgnored(id));
      if (left.length > 0) this.pending.set(account, new Set(left));
      else this.pending.delete(account);
    }
  }
}
