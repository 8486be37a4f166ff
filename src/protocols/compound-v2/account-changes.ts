import type { Address } from '../../domain/hex.js';
import type { AppliedChanges } from '../account-book.js';
import type { AccountChange } from './events.js';
import type { CompoundAccount, Leg } from './market.js';

/**
 * Applies the changes to the accounts, exact to the unit.
 *
 * @param known gives an account as it was before the first change; undefined for an account that is not
 *   followed.
 */
export function applyChanges(
  changes: readonly AccountChange[],
  known: (address: Address) => CompoundAccount | undefined,
): AppliedChanges<CompoundAccount> {
  const drafts = new Map<Address, Draft>();
  const newBorrowers = new Set<Address>();
  const draftOf = (address: Address): Draft | undefined => {
    const draft = drafts.get(address);
    if (draft) return draft;
    const account = known(address);
    if (!account) return undefined;
    const made = new Draft(account);
    drafts.set(address, made);
    return made;
  };

  for (const change of changes) {
    const draft = draftOf(change.account);
    switch (change.kind) {
      case 'debt':
        if (draft) draft.setDebt(change.mTokenId, change.principal, change.interestIndex);
        else if (change.borrowed) newBorrowers.add(change.account);
        break;
      case 'transfer':
        draft?.add(change.mTokenId, -change.amount);
        draftOf(change.to)?.add(change.mTokenId, change.amount);
        break;
      case 'membership':
        draft?.setEntered(change.mTokenId, change.entered);
        break;
    }
  }
  const changed = new Map<Address, CompoundAccount>();
  const contradicted = new Set<Address>();
  for (const [address, draft] of drafts) {
    if (draft.contradicted) contradicted.add(address);
    else changed.set(address, draft.account());
  }
  return { changed, newBorrowers, contradicted };
}

type MutableLeg = { -readonly [K in keyof Leg]: Leg[K] };

class Draft {
  readonly #address: Address;
  readonly #legs: Map<number, MutableLeg>;
  #contradicted = false;

  constructor({ address, legs }: CompoundAccount) {
    this.#address = address;
    this.#legs = new Map(legs.map((leg) => [leg.mTokenId, { ...leg }]));
  }

  get contradicted(): boolean {
    return this.#contradicted;
  }

  /** CToken.borrowFresh, repayBorrowFresh: the log has the new principal, the index is that of the market. */
  setDebt(mTokenId: number, principal: bigint, interestIndex: bigint | undefined): void {
    if (interestIndex === undefined && principal > 0n) this.#contradicted = true;
    const leg = this.#leg(mTokenId);
    leg.principal = principal;
    leg.interestIndex = principal === 0n ? 0n : (interestIndex ?? 0n);
  }

  setEntered(mTokenId: number, entered: boolean): void {
    this.#leg(mTokenId).entered = entered;
  }

  /** @param amount mTokens; a negative amount is subtracted. */
  add(mTokenId: number, amount: bigint): void {
    const leg = this.#leg(mTokenId);
    leg.tokens += amount;
    if (leg.tokens < 0n) this.#contradicted = true;
  }

  account(): CompoundAccount {
    const legs = [...this.#legs.values()].filter(
      ({ entered, tokens, principal }) => entered || tokens > 0n || principal > 0n,
    );
    return { address: this.#address, legs: legs.sort((a, b) => a.mTokenId - b.mTokenId) };
  }

  #leg(mTokenId: number): MutableLeg {
    let leg = this.#legs.get(mTokenId);
    if (!leg) {
      leg = { mTokenId, entered: false, tokens: 0n, principal: 0n, interestIndex: 0n };
      this.#legs.set(mTokenId, leg);
    }
    return leg;
  }
}
