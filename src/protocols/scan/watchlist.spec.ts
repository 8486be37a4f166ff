import { expect, it } from 'vitest';
import { SeededRandom } from '../../../devnet/random.js';
import { Factors } from './factors.js';
import { legKind } from './kinds.js';
import { LegTable } from './leg-table.js';
import { Watchlist } from './watchlist.js';

const THINGS = 40;
const ROWS = 300;

it('the list finds the same rows as a scan of all, while prices move and positions come, change and go', () => {
  const seed = Number(process.env.WATCHLIST_SEED ?? 7);
  const random = new SeededRandom(seed);
  const table = new LegTable<number>();
  const watchlist = new Watchlist(table, 1.03);
  const factors = new Factors();
  const prices = Array.from({ length: THINGS }, () => 1);
  const place = (key: number): void => {
    const thing = (): number => random.integer(0, THINGS - 1);
    const debt = random.integer(900_000, 1_000_000);
    table.set(key, [
      { kind: legKind(thing(), 'collateral'), exact: BigInt(random.integer(900_000, 1_200_000)) },
      { kind: legKind(thing(), 'debt'), exact: BigInt(debt) },
    ]);
  };
  const fill =
    (interest: number) =>
    (factors: Factors): void => {
      factors.clear();
      for (const [thing, price] of prices.entries()) {
        factors.set(legKind(thing, 'collateral'), price, 1);
        factors.set(legKind(thing, 'debt'), -price * interest, 1);
      }
    };
  for (let key = 0; key < ROWS; key++) place(key);

  let found = 0;
  for (let block = 0; block < 400; block++) {
    const touched = Array.from({ length: random.integer(0, 4) }, () => random.integer(0, 2 * ROWS));
    for (const key of touched)
      if (random.chance(0.2)) table.delete(key);
      else place(key);
    for (const thing of prices.keys()) {
      const share = random.chance(0.002) ? 0.1 : 0.002;
      prices[thing] = (prices[thing] ?? 1) * random.between(1 - share, 1 + share);
    }
    watchlist.update(fill(1), touched);
    for (const interest of [1, 1.0001]) {
      fill(interest)(factors);
      const all = table.below(1, factors);
      const listed = interest === 1 ? watchlist.below(1) : watchlist.belowWith(factors, 1);
      expect(new Set(listed), `WATCHLIST_SEED=${seed}, block ${block}`).toEqual(new Set(all));
      found += all.length;
    }
  }
  expect(found).toBeGreaterThan(1_000);
});
