import { describe, expect, it } from 'vitest';
import { addressOf } from '../../../testing/builders/aave-market.js';
import type { Hash } from '../../domain/hex.js';
import type { UnservedReason } from '../../domain/market-coverage.js';
import { coverageOf } from './coverage.js';
import type { BlueChange } from './events.js';
import type { FollowedMarket } from './followed-market.js';
import { MarketBooks } from './market-books.js';

const [ID, OTHER]: [Hash, Hash] = [`0x${'5a'.repeat(32)}`, `0x${'a5'.repeat(32)}`];
const token = { address: addressOf(1), symbol: 'USDC', decimals: 6 };

const market = (id: Hash, borrowAssets: bigint): FollowedMarket => ({
  ...{ id, collateral: token, loan: token, oracle: { kind: 'other' }, rate: { kind: 'none' } },
  params: {
    ...{ loanToken: token.address, collateralToken: token.address, oracle: addressOf(2), irm: addressOf(3) },
    lltvWad: 1n,
  },
  totals: {
    ...{ supplyAssets: 1_000n, supplyShares: 1_000n, borrowAssets, borrowShares: borrowAssets },
    ...{ lastUpdate: 100, feeWad: 0n },
  },
});
const found = (
  markets: readonly FollowedMarket[],
  ignored: readonly (readonly [Hash, UnservedReason])[] = [],
): { markets: readonly FollowedMarket[]; ignored: ReadonlyMap<Hash, UnservedReason> } => ({
  ...{ markets, ignored: new Map(ignored) },
});
const borrow = (assets: bigint): BlueChange => ({
  ...{ kind: 'borrow', marketId: ID, borrower: addressOf(9), assets, shares: assets },
});

describe('the books of markets', () => {
  it('follow a market by its logs, and take blocks back to the unit', () => {
    const books = new MarketBooks();
    books.begin(found([market(ID, 10n)]));
    const first = books.commit([borrow(5n)], found([]), 110);
    const second = books.commit([borrow(7n), borrow(1n)], found([]), 120);
    expect(books.markets.get(ID)?.totals).toMatchObject({ borrowAssets: 23n, lastUpdate: 120 });
    books.undo(second);
    expect(books.markets.get(ID)?.totals).toMatchObject({ borrowAssets: 15n, lastUpdate: 110 });
    books.undo(first);
    expect(books.markets.get(ID)).toEqual(market(ID, 10n));
  });

  it('take a market that was read at the end of a block as it is: the changes of that block are in it', () => {
    const books = new MarketBooks();
    books.commit([borrow(5n)], found([market(ID, 50n)]), 110);
    expect(books.markets.get(ID)?.totals.borrowAssets).toBe(50n);
  });

  it('read a market again whose first block was taken back, and one that differed from the chain', () => {
    const books = new MarketBooks();
    books.begin(found([market(OTHER, 1n)]));
    const undo = books.commit([], found([market(ID, 50n)]), 110);
    books.undo(undo);
    expect(books.unknownOf([])).toEqual([ID]);
    books.commit([], found([market(ID, 40n)]), 112);
    books.doubt([OTHER, `0x${'00'.repeat(32)}`]);
    expect(books.unknownOf([ID])).toEqual([OTHER]);
  });

  it('follow a market that was read at an earlier block, with what came since', () => {
    const books = new MarketBooks();
    const later = [books.commit([borrow(5n)], found([]), 110), books.commit([borrow(1n)], found([]), 112)];
    books.adopt(found([market(ID, 10n)]), later);
    expect(books.markets.get(ID)?.totals).toMatchObject({ borrowAssets: 16n, lastUpdate: 112 });
    books.adopt(found([market(ID, 99n)]), []);
    expect(books.markets.get(ID)?.totals.borrowAssets, 'what is followed stays').toBe(16n);
  });

  it('do not ask again for a market that is not followed, and keep the reason', () => {
    const books = new MarketBooks();
    books.commit([], found([], [[OTHER, 'denied']]), 110);
    expect(books.unknownOf([ID, OTHER])).toEqual([ID]);
    expect(books.isIgnored(OTHER)).toBe(true);
  });
});

it('the coverage counts each market once, the reason of its size before that of its price', () => {
  const third: Hash = `0x${'11'.repeat(32)}`;
  const faulty = [ID, third].map((marketId) => ({ marketId, pair: 'A/B', reason: 'oracle-zero' as const }));
  const ignored = new Map<Hash, UnservedReason>([[`0x${'22'.repeat(32)}`, 'denied']]);
  const markets = [market(ID, 10n), market(OTHER, 20n), market(third, 0n)];
  const why = ({ totals }: FollowedMarket): UnservedReason | undefined =>
    totals.borrowAssets === 0n ? 'no-debt' : undefined;
  expect(coverageOf(ignored, markets, why, faulty)).toEqual({
    ...{ served: 1, unserved: { denied: 1, 'no-debt': 1, 'oracle-zero': 1 }, faulty },
  });
});
