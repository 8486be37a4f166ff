import { describe, expect, it } from 'vitest';
import { addressOf } from '../../../testing/builders/aave-market.js';
import type { Hash } from '../../domain/hex.js';
import { PositionTable } from './position-table.js';
import { WantedLegs } from './wanted-legs.js';

const idOf = (number: number): Hash => `0x${number.toString(16).padStart(64, '0')}`;
const [ONE, TWO, IGNORED] = [idOf(1), idOf(2), idOf(3)];
const ACCOUNT = addressOf(0xb0);

function world(): { table: PositionTable; wanted: WantedLegs } {
  const table = new PositionTable();
  return { table, wanted: new WantedLegs(table, (id) => id === IGNORED) };
}
const follow = (table: PositionTable, ...ids: Hash[]): void => {
  table.set({
    address: ACCOUNT,
    legs: ids.map((marketId) => ({ marketId, collateral: 1n, borrowShares: 1n })),
  });
};

describe('the markets in which an account has to be read', () => {
  it('are those of its loans in the history, until it has been read there', () => {
    const { wanted } = world();
    wanted.found(ACCOUNT, [ONE, IGNORED]);
    wanted.found(ACCOUNT, [TWO]);
    expect(wanted.isRead(ACCOUNT)).toBe(false);
    const asked = wanted.of([ACCOUNT]);
    expect(asked.get(ACCOUNT)).toEqual(new Set([ONE, TWO]));
    wanted.settle(asked, new Set());
    expect(wanted.isRead(ACCOUNT), 'nobody answered').toBe(false);
    wanted.settle(asked, new Set([ACCOUNT]));
    expect(wanted.isRead(ACCOUNT)).toBe(true);
  });

  it('are those in which it is followed as well, and those of the block', () => {
    const { table, wanted } = world();
    follow(table, ONE);
    wanted.found(ACCOUNT, [ONE]);
    expect(wanted.isRead(ACCOUNT), 'it is followed there').toBe(true);
    const change = { kind: 'borrow', borrower: ACCOUNT, assets: 1n, shares: 1n } as const;
    const asked = wanted.of(
      [ACCOUNT],
      [
        { ...change, marketId: TWO },
        { ...change, marketId: IGNORED },
      ],
    );
    expect(asked.get(ACCOUNT)).toEqual(new Set([ONE, TWO]));
  });

  it('are kept while its state is lost', () => {
    const { table, wanted } = world();
    follow(table, ONE, TWO);
    wanted.keep([ACCOUNT]);
    table.delete(ACCOUNT);
    expect(wanted.of([ACCOUNT]).get(ACCOUNT)).toEqual(new Set([ONE, TWO]));
  });

  it('an account of which no market is known is counted, but not one that borrowed elsewhere', () => {
    const { wanted } = world();
    const other = addressOf(0xb1);
    const asked = new Map([
      [ACCOUNT, new Set<Hash>()],
      [other, new Set([TWO])],
    ]);
    wanted.withoutIgnored(asked, new Set([TWO]));
    wanted.settle(asked, new Set([ACCOUNT, other]));
    expect(wanted.blindCount).toBe(1);
    wanted.found(ACCOUNT, [ONE]);
    expect(wanted.blindCount).toBe(0);
  });
});
