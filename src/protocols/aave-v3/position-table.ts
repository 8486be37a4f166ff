import type { Address } from '../../domain/hex.js';
import type { Factors } from '../scan/factors.js';
import { isDebt, isIdle } from '../scan/kinds.js';
import { LegTable, type RowLeg } from '../scan/leg-table.js';
import type { AaveAccount, Leg } from './market.js';
import { eModeOf, legKind, reserveOf } from './factors.js';

/** Every account with debt. Scaled amounts are kept exact to the unit. */
export class PositionTable {
  readonly rows = new LegTable<Address>();

  get size(): number {
    return this.rows.size;
  }

  /** The sum of the scaled debts of all accounts, by reserve id. */
  get scaledDebts(): ReadonlyMap<number, bigint> {
    const sums = new Map<number, bigint>();
    for (const [kind, sum] of this.rows.debtsByKind)
      sums.set(reserveOf(kind), (sums.get(reserveOf(kind)) ?? 0n) + sum);
    return sums;
  }

  /** Adds an account, or replaces it. It has at least one leg. */
  set({ address, eMode, legs }: AaveAccount): void {
    this.rows.set(
      address,
      legs.flatMap((leg) => sidesOf(eMode, leg)),
    );
  }

  delete(address: Address): void {
    this.rows.delete(address);
  }

  get(address: Address): AaveAccount | undefined {
    const row = this.rows.rowOf(address);
    return row === undefined ? undefined : this.accountIn(row);
  }

  keys(): IterableIterator<Address> {
    return this.rows.keys();
  }

  /** The account of a row; undefined where there is none. */
  accountIn(row: number): AaveAccount | undefined {
    const address = this.rows.keyOf(row);
    if (address === undefined) return undefined;
    const sides = this.rows.legsOf(row);
    const legs: Leg[] = [];
    for (const { kind, exact } of sides) {
      const reserveId = reserveOf(kind);
      const last = legs.at(-1);
      if (!isDebt(kind))
        legs.push({ reserveId, scaledSupply: exact, usedAsCollateral: !isIdle(kind), scaledDebt: 0n });
      // When a reserve has both, its debt stands right behind its supply.
      else if (last?.reserveId === reserveId) legs[legs.length - 1] = { ...last, scaledDebt: exact };
      else legs.push({ reserveId, scaledSupply: 0n, usedAsCollateral: false, scaledDebt: exact });
    }
    return { address, eMode: eModeOf(sides[0]?.kind ?? 0), legs };
  }

  /** See {@link LegTable.below}. */
  below(healthFactor: number, factors: Factors): number[] {
    return this.rows.below(healthFactor, factors);
  }
}

function sidesOf(eMode: number, { reserveId, scaledSupply, usedAsCollateral, scaledDebt }: Leg): RowLeg[] {
  const side = usedAsCollateral ? 'collateral' : 'idle';
  return [
    ...(scaledSupply > 0n || usedAsCollateral
      ? [{ kind: legKind(eMode, reserveId, side), exact: scaledSupply }]
      : []),
    ...(scaledDebt > 0n ? [{ kind: legKind(eMode, reserveId, 'debt'), exact: scaledDebt }] : []),
  ];
}
