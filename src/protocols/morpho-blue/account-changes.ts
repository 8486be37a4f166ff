import type { Address, Hash } from '../../domain/hex.js';
import type { AppliedChanges } from '../account-book.js';
import type { BlueChange } from './events.js';
import type { BlueAccount, BluePosition } from './market.js';

/** A change of a position. */
export type PositionChange = Extract<BlueChange, { borrower: Address }>;

export function isPositionChange(change: BlueChange): change is PositionChange {
  return 'borrower' in change;
}

/**
 * Applies the changes to the accounts, exact to the unit. An account is followed in the markets in which it
 * has debt: when it borrows in another one, it has to be read, because its collateral there is not known.
 *
 * @param known gives an account as it was before the first change; undefined for an account that is not
 *   followed.
 */
export function applyChanges(
  changes: readonly PositionChange[],
  known: (address: Address) => BlueAccount | undefined,
): AppliedChanges<BlueAccount> {
  const drafts = new Map<Address, Map<Hash, BluePosition>>();
  const newBorrowers = new Set<Address>();
  const contradicted = new Set<Address>();
  const draftOf = (address: Address): Map<Hash, BluePosition> | undefined => {
    const draft = drafts.get(address);
    if (draft) return draft;
    const account = known(address);
    if (!account) return undefined;
    const made = new Map(account.legs.map(({ marketId, ...position }) => [marketId, position]));
    drafts.set(address, made);
    return made;
  };
  for (const change of changes) {
    const draft = draftOf(change.borrower);
    const before = draft?.get(change.marketId);
    if (draft && before) {
      const after = changed(before, change);
      if (after.collateral < 0n || after.borrowShares < 0n) contradicted.add(change.borrower);
      draft.set(change.marketId, after);
    } else if (change.kind === 'borrow') newBorrowers.add(change.borrower);
  }
  const whole = new Map<Address, BlueAccount>();
  for (const [address, draft] of drafts)
    if (!contradicted.has(address) && !newBorrowers.has(address))
      whole.set(address, accountOf(address, draft));
  return { changed: whole, newBorrowers, contradicted };
}

/** The account of these positions; those without debt are left out. */
export function accountOf(address: Address, positions: ReadonlyMap<Hash, BluePosition>): BlueAccount {
  const legs = [...positions]
    .filter(([, { borrowShares }]) => borrowShares > 0n)
    .map(([marketId, position]) => ({ marketId, ...position }));
  return { address, legs: legs.sort((a, b) => (a.marketId < b.marketId ? -1 : 1)) };
}

function changed({ collateral, borrowShares }: BluePosition, change: PositionChange): BluePosition {
  switch (change.kind) {
    case 'borrow':
      return { collateral, borrowShares: borrowShares + change.shares };
    case 'repay':
      return { collateral, borrowShares: borrowShares - change.shares };
    case 'supply-collateral':
      return { collateral: collateral + change.assets, borrowShares };
    case 'withdraw-collateral':
      return { collateral: collateral - change.assets, borrowShares };
    case 'liquidate':
      return {
        collateral: collateral - change.seizedAssets,
        borrowShares: borrowShares - change.repaidShares - change.badDebtShares,
      };
  }
}

/** The accounts without their positions in markets that are not followed. */
export function withoutMarkets(accounts: readonly BlueAccount[], followed: ReadonlySet<Hash>): BlueAccount[] {
  return accounts.map((account) => ({
    ...account,
    legs: account.legs.filter(({ marketId }) => followed.has(marketId)),
  }));
}
