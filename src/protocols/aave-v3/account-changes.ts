import { uintAt, type Address, type Hex } from '../../domain/hex.js';
import type { AppliedChanges } from '../account-book.js';
import type { AccountChange, ReserveToken } from './events.js';
import type { AaveAccount, Leg } from './market.js';

/**
 * Applies the changes to the accounts, exact to the unit. The logs give everything but the scaled amount of a
 * Mint or Burn. This amount is computed from what the account had before.
 *
 * @param known gives an account as it was before the first change; undefined for an account that is not
 *   followed.
 */
export function applyChanges(
  changes: readonly AccountChange[],
  known: (address: Address) => AaveAccount | undefined,
): AppliedChanges<AaveAccount> {
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
      case 'mint':
      case 'burn':
        if (draft) draft.mintOrBurn(change.token, change.kind, change.data);
        else if (change.kind === 'mint' && change.token.side === 'debt') newBorrowers.add(change.account);
        break;
      case 'transfer':
        draft?.add(change.token, -uintAt(change.data, 0));
        draftOf(change.to)?.add(change.token, uintAt(change.data, 0));
        break;
      case 'collateral':
        draft?.setCollateral(change.reserveId, change.used);
        break;
      case 'e-mode':
        draft?.setEMode(change.eMode);
        break;
    }
  }
  const changed = new Map<Address, AaveAccount>();
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
  #eMode: number;
  #contradicted = false;

  constructor({ address, eMode, legs }: AaveAccount) {
    this.#address = address;
    this.#eMode = eMode;
    this.#legs = new Map(legs.map((leg) => [leg.reserveId, { ...leg }]));
  }

  get contradicted(): boolean {
    return this.#contradicted;
  }

  setEMode(eMode: number): void {
    this.#eMode = eMode;
  }

  setCollateral(reserveId: number, used: boolean): void {
    this.#leg(reserveId).usedAsCollateral = used;
  }

  /** As the version of the token tells it ({@link TokenRounding.scaledAfter}). */
  mintOrBurn(token: ReserveToken, kind: 'mint' | 'burn', data: Hex): void {
    const scaledAfter = token.rounding.scaledAfter(token.side, {
      kind,
      scaledBefore: this.#scaled(token),
      value: uintAt(data, 0),
      balanceIncrease: uintAt(data, 1),
      index: uintAt(data, 2),
    });
    this.#set(token, scaledAfter);
  }

  /** @param amount scaled; a negative amount is subtracted. */
  add(token: ReserveToken, amount: bigint): void {
    this.#set(token, this.#scaled(token) + amount);
  }

  #set({ reserveId, side }: ReserveToken, scaled: bigint): void {
    if (scaled < 0n) this.#contradicted = true;
    const leg = this.#leg(reserveId);
    if (side === 'supply') leg.scaledSupply = scaled;
    else leg.scaledDebt = scaled;
  }

  account(): AaveAccount {
    const legs = [...this.#legs.values()].filter(
      ({ scaledSupply, scaledDebt, usedAsCollateral }) =>
        scaledSupply > 0n || scaledDebt > 0n || usedAsCollateral,
    );
    return {
      address: this.#address,
      eMode: this.#eMode,
      legs: legs.sort((a, b) => a.reserveId - b.reserveId),
    };
  }

  #scaled({ reserveId, side }: ReserveToken): bigint {
    const leg = this.#leg(reserveId);
    return side === 'supply' ? leg.scaledSupply : leg.scaledDebt;
  }

  #leg(reserveId: number): MutableLeg {
    let leg = this.#legs.get(reserveId);
    if (!leg) {
      leg = { reserveId, scaledSupply: 0n, usedAsCollateral: false, scaledDebt: 0n };
      this.#legs.set(reserveId, leg);
    }
    return leg;
  }
}
