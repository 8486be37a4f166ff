import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../devnet/random.js';
import { addressOf, conditions, MARKET, PRICES } from '../../../testing/builders/aave-market.js';
import type { Address } from '../../domain/hex.js';
import { marketFactors } from '../aave-v3/factors.js';
import { accountData, isLiquidatable } from '../aave-v3/health.js';
import type { AaveAccount, AaveMarket, MarketConditions } from '../aave-v3/market.js';
import { PositionTable } from '../aave-v3/position-table.js';
import { Crossings } from './crossings.js';
import { Watchlist } from './watchlist.js';

const HORIZON = 30;
const SEED = Number(process.env['CROSSINGS_SEED'] ?? Date.now() % 1_000_000);

/** A book of Aave positions, as its market keeps one. */
class Book {
  readonly table = new PositionTable();
  readonly watchlist = new Watchlist(this.table.rows, 1.1);
  readonly crossings = new Crossings(this.table.rows, this.watchlist, HORIZON);
  exactLooks = 0;

  isOpen(market: AaveMarket, address: Address, now: MarketConditions): boolean {
    const account = this.table.get(address);
    const data = account && accountData(market, account, now);
    return data !== undefined && !('priceMissing' in data) && isLiquidatable(data.healthFactorWad);
  }

  crossingsAt(
    market: AaveMarket,
    now: MarketConditions,
    touched: readonly Address[],
  ): ReadonlyMap<Address, number> {
    this.watchlist.update(marketFactors(market, now), touched);
    const outlook = {
      now: now.timestamp,
      terms: market,
      prices: now.prices,
      fillAt: (timestamp: number) => marketFactors(market, { ...now, timestamp }),
      isOpenNow: (address: Address) => this.isOpen(market, address, now),
      isOpenAt: (address: Address, timestamp: number) => {
        this.exactLooks += 1;
        return this.isOpen(market, address, { ...now, timestamp });
      },
    };
    const found = this.crossings.update(outlook, touched);
    return new Map(found.map(({ key, opensAt }) => [key, opensAt]));
  }

  /** Second by second. */
  bruteForce(market: AaveMarket, now: MarketConditions): Map<Address, number> {
    const found = new Map<Address, number>();
    for (const address of this.table.keys()) {
      for (let after = 0; after <= HORIZON; after++) {
        if (!this.isOpen(market, address, { ...now, timestamp: now.timestamp + after })) continue;
        if (after > 0) found.set(address, now.timestamp + after);
        break;
      }
    }
    return found;
  }
}

/** R0 as collateral, R1 as debt, with a health factor of about `healthFactor` at the given second. */
function position(number: number, healthFactor: number, dollars: number): AaveAccount {
  const collateral = BigInt(Math.round((dollars / 3_000) * 1e9)) * 10n ** 9n;
  const debt = BigInt(Math.round(((dollars * 0.78) / 1.03 / healthFactor) * 1e6));
  return {
    address: addressOf(number),
    eMode: 0,
    legs: [
      { reserveId: 0, scaledSupply: collateral, usedAsCollateral: true, scaledDebt: 0n },
      { reserveId: 1, scaledSupply: 0n, usedAsCollateral: false, scaledDebt: debt },
    ],
  };
}

describe(`positions that interest alone opens (seed ${SEED})`, () => {
  it('are found with the very second, as a look at each second finds them, while prices, rates and positions change', () => {
    const random = new SeededRandom(SEED);
    const book = new Book();
    const fresh = (number: number): AaveAccount =>
      position(number, 1 + random.between(-2, 8) * 1e-8, random.between(5_000, 500_000));
    for (let number = 1; number <= 300; number++) book.table.set(fresh(number));
    let market = MARKET;
    let prices = PRICES;
    let timestamp = 1_001;
    let seen = 0;
    for (let block = 0; block < 60; block++) {
      timestamp += random.integer(0, 2);
      if (random.chance(0.2))
        prices = prices.map((price, id) =>
          id === 0 ? price + BigInt(random.integer(-3_000, 3_000)) : price,
        );
      if (random.chance(0.2)) market = withRate(market, BigInt(random.integer(5, 12)) * 10n ** 25n);
      const touched = random.chance(0.3) ? [random.integer(1, 300), random.integer(1, 300)].map(fresh) : [];
      for (const account of touched) book.table.set(account);
      const now = conditions(prices, timestamp);
      const found = book.crossingsAt(
        market,
        now,
        touched.map(({ address }) => address),
      );
      const expected = book.bruteForce(market, now);
      expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
      expect([...found.values()]).toEqual([...found.values()].sort((one, other) => one - other));
      seen += found.size;
    }
    expect(seen).toBeGreaterThan(1_000);
  });

  it('are not computed again while nothing but time changes', () => {
    const book = new Book();
    for (let number = 1; number <= 100; number++)
      book.table.set(position(number, 1 + number * 2e-10, 100_000));
    const first = book.crossingsAt(MARKET, conditions(PRICES, 1_001), []);
    expect(first.size).toBeGreaterThan(30);
    const looks = book.exactLooks;
    // The horizon has moved by a second: only what it newly reaches is looked at.
    const second = book.crossingsAt(MARKET, conditions(PRICES, 1_002), []);
    for (const [address, opensAt] of first) if (opensAt > 1_002) expect(second.get(address)).toBe(opensAt);
    expect(book.exactLooks - looks).toBeLessThan(looks / 3);
  });

  it('are none where the price of an asset is missing', () => {
    const book = new Book();
    book.table.set(position(1, 1 + 1e-9, 100_000));
    expect(book.crossingsAt(MARKET, conditions([0n, ...PRICES.slice(1)], 1_001), []).size).toBe(0);
  });
});

function withRate(market: AaveMarket, variableBorrowRate: bigint): AaveMarket {
  const reserves = [...market.reserves.values()].map((reserve) => ({
    ...reserve,
    indexes: { ...reserve.indexes, variableBorrowRate },
  }));
  return { ...market, reserves: new Map(reserves.map((reserve) => [reserve.id, reserve])) };
}
