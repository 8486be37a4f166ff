import type { Address, Hash } from '../../domain/hex.js';
import type { AppliedChanges } from '../account-book.js';
import type { BlueChange } from './events.js';
import type { BlueAccount, BlueLeg, BluePosition } from './market.js';

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
  const drafts = new Map<Address, { readonly address: Address; readonly legs: BlueLeg[] }>();
  const newBorrowers = new Set<Address>();
  const contradicted = new Set<Address>();
  for (const change of changes) {
    const { borrower, marketId, kind } = change;
    let draft = drafts.get(borrower);
    if (!draft) {
      const { address, legs } = known(borrower) ?? { address: borrower, legs: [] };
      draft = { address, legs: legs.slice() };
    }
    const { legs } = draft;
    const at = legs.findIndex((leg) => leg.marketId === marketId);
    const before = legs[at];
    if (before) {
      const after = changed(before, change);
      if (after.collateral < 0n || after.borrowShares < 0n) contradicted.add(borrower);
      legs[at] = after;
      drafts.set(borrower, draft);
    } else if (kind === 'borrow') newBorrowers.add(borrower);
  }
  const whole = new Map<Address, BlueAccount>();
  for (const { address, legs } of drafts.values())
    if (!contradicted.has(address) && !newBorrowers.has(address))
      whole.set(address, { address, legs: legs.filter(({ borrowShares }) => borrowShares > 0n) });
  return { changed: whole, newBorrowers, contradicted };
}

/** The account of these positions; those without debt are left out. */
export function accountOf(address: Address, positions: ReadonlyMap<Hash, BluePosition>): BlueAccount {
  const legs = [...positions]
    .filter(([, { borrowShares }]) => borrowShares > 0n)
    .map(([marketId, position]) => ({ marketId, ...position }));
  return { address, legs: legs.sort((a, b) => (a.marketId < b.marketId ? -1 : 1)) };
}

function changed({ marketId, collateral, borrowShares }: BlueLeg, change: PositionChange): BlueLeg {
  switch (change.kind) {
    case 'borrow':
      return { marketId, collateral, borrowShares: borrowShares + change.shares };
    case 'repay':
      return { marketId, collateral, borrowShares: borrowShares - change.shares };
    case 'supply-collateral':
      return { marketId, collateral: collateral + change.assets, borrowShares };
    case 'withdraw-collateral':
      return { marketId, collateral: collateral - change.assets, borrowShares };
    case 'liquidate':
      return {
        marketId,
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
