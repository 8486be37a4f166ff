import { expect, it } from 'vitest';
import { addressOf } from '../../../testing/builders/aave-market.js';
import type { Hash } from '../../domain/hex.js';
import { WAD } from '../../domain/money.js';
import { Watchlist } from '../scan/watchlist.js';
import { marketFactors, type LegWorth } from './factors.js';
import { PositionTable } from './position-table.js';

const [PRICED, LATER]: [Hash, Hash] = [`0x${'5a'.repeat(32)}`, `0x${'a5'.repeat(32)}`];
const WORTH: LegWorth = { price: 10n ** 36n, lltvWad: WAD / 2n, debtPerShare: 1 };

it('a watchlist has the positions of a market from the block on that gives it a price', () => {
  const table = new PositionTable();
  const leg = { collateral: 1_000n, borrowShares: 600n };
  for (const [index, marketId] of [PRICED, LATER].entries()) {
    table.set({ address: addressOf(2 * index + 1), legs: [{ marketId, ...leg }] });
    table.set({ address: addressOf(2 * index + 2), legs: [{ marketId, ...leg, borrowShares: 100n }] });
  }
  const watchlist = new Watchlist(table.rows, 1.1);
  const listedWith = (worths: ReadonlyMap<Hash, LegWorth>): unknown[] => {
    watchlist.update(
      marketFactors([PRICED, LATER], (id) => table.numberOf(id), worths),
      [],
    );
    return [...watchlist.rows].map((row) => table.positionIn(row)?.borrower);
  };
  expect(listedWith(new Map([[PRICED, WORTH]]))).toEqual([addressOf(1)]);
  expect(listedWith(new Map([[PRICED, WORTH]])), 'and only these at the next block').toEqual([addressOf(1)]);
  const both = new Map([PRICED, LATER].map((id) => [id, WORTH]));
  expect(listedWith(both)).toEqual([addressOf(1), addressOf(3)]);
  const withoutPrice = new Map([[LATER, WORTH]]);
  listedWith(withoutPrice);
  expect(listedWith(both)).toEqual([addressOf(1), addressOf(3)]);
});
