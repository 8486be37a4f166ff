import type { Address } from '../../domain/hex.js';
import { isDebt, isIdle, legKind, thingOf, THINGS } from '../scan/kinds.js';
import { LegTable, type RowLeg } from '../scan/leg-table.js';
import type { CompoundAccount, Leg } from './market.js';

/** The index of a debt is an idle leg of a thing of its own. They stand at the end, where no scan reads. */
const FIRST_INDEX = THINGS / 2;

/** Every account with debt, exact to the unit. */
export class PositionTable {
  readonly rows = new LegTable<Address>();

  get size(): number {
    return this.rows.size;
  }

  /** Adds an account, or replaces it. @throws RangeError when an amount does not fit. */
  set({ address, legs }: CompoundAccount): void {
    this.rows.set(address, [...legs.flatMap(sidesOf), ...legs.flatMap(indexOf)]);
  }

  delete(address: Address): void {
    this.rows.delete(address);
  }

  get(address: Address): CompoundAccount | undefined {
    const row = this.rows.rowOf(address);
    return row === undefined ? undefined : this.accountIn(row);
  }

  keys(): IterableIterator<Address> {
    return this.rows.keys();
  }

  /** All accounts. */
  *accounts(): Generator<CompoundAccount, void, undefined> {
    for (const address of this.keys()) {
      const account = this.get(address);
      if (account) yield account;
    }
  }

  /** The account of a row; undefined where there is none. */
  accountIn(row: number): CompoundAccount | undefined {
    const address = this.rows.keyOf(row);
    if (address === undefined) return undefined;
    const legs = new Map<number, Leg>();
    for (const { kind, exact } of this.rows.legsOf(row)) {
      const thing = thingOf(kind);
      const mTokenId = thing % FIRST_INDEX;
      const leg = legs.get(mTokenId) ?? {
        ...{ mTokenId, entered: false, tokens: 0n, principal: 0n, interestIndex: 0n },
      };
      if (thing >= FIRST_INDEX) legs.set(mTokenId, { ...leg, interestIndex: exact });
      else if (isDebt(kind)) legs.set(mTokenId, { ...leg, principal: exact });
      else legs.set(mTokenId, { ...leg, tokens: exact, entered: !isIdle(kind) });
    }
    return { address, legs: [...legs.values()] };
  }
}

/** The index of the debt of a market in a row; undefined where there is none. */
export function interestIndexIn(
  row: readonly { readonly kind: number; readonly exact: bigint }[],
  mTokenId: number,
): bigint | undefined {
  return row.find(({ kind }) => thingOf(kind) === FIRST_INDEX + mTokenId)?.exact;
}

function sidesOf({ mTokenId, entered, tokens, principal, interestIndex }: Leg): RowLeg[] {
  const sides: RowLeg[] = [];
  if (tokens > 0n || entered)
    sides.push({ kind: legKind(mTokenId, entered ? 'collateral' : 'idle'), exact: tokens });
  if (principal > 0n)
    sides.push({
      kind: legKind(mTokenId, 'debt'),
      exact: principal,
      amount: Number(principal) / Number(interestIndex),
    });
  return sides;
}

function indexOf({ mTokenId, principal, interestIndex }: Leg): RowLeg[] {
  return principal > 0n ? [{ kind: legKind(FIRST_INDEX + mTokenId, 'idle'), exact: interestIndex }] : [];
}
