import fc from 'fast-check';
import { SeededRandom } from '../../../devnet/random.js';
import { addressOf, conditions, MARKET, PRICES, RESERVES } from '../../../testing/builders/aave-market.js';
import { describe, expect, it } from 'vitest';
import type { Address } from '../../domain/hex.js';
import { marketFactors } from './factors.js';
import { accountData } from './health.js';
import type { AaveAccount, AaveMarket, Leg, MarketConditions } from './market.js';
import { PositionTable } from './position-table.js';
import { V3_0 } from './rules/v3-0.js';
import { Factors } from '../scan/factors.js';
import { Watchlist } from '../scan/watchlist.js';

const WAD = 10n ** 18n;
/** Its rules round the average threshold down, and have another interest. */
const OLD_MARKET: AaveMarket = { ...MARKET, rules: V3_0 };

/** From a single unit to amounts of more than 64 bits. */
const scaled = fc.oneof(
  fc.constant(0n),
  fc.bigInt({ min: 1n, max: 20n }),
  fc.bigInt({ min: 10n ** 6n, max: 10n ** 12n }),
  fc.bigInt({ min: 10n ** 15n, max: 10n ** 24n }),
);
const legs = fc
  .tuple(
    ...RESERVES.map(({ id }) =>
      fc
        .record({ scaledSupply: scaled, usedAsCollateral: fc.boolean(), scaledDebt: scaled })
        .map((leg) => ({ reserveId: id, ...leg })),
    ),
  )
  .map((all): Leg[] =>
    all.filter(
      ({ scaledSupply, usedAsCollateral, scaledDebt }) => scaledSupply + scaledDebt > 0n || usedAsCollateral,
    ),
  )
  .filter((all) => all.length > 0);
const account = fc
  .record({ number: fc.integer({ min: 1, max: 40 }), eMode: fc.constantFrom(0, 255), legs })
  .map(({ number, ...rest }): AaveAccount => ({ address: addressOf(number), ...rest }));

const at = (market: AaveMarket, now: MarketConditions): Factors => {
  const factors = new Factors();
  marketFactors(market, now)(factors);
  return factors;
};
const accountsIn = (table: PositionTable, rows: Iterable<number>): AaveAccount[] =>
  [...rows].map((row) => table.accountIn(row)).filter((one) => one !== undefined);
const supply = (reserveId: number, scaledSupply: bigint): Leg => ({
  reserveId,
  scaledSupply,
  usedAsCollateral: true,
  scaledDebt: 0n,
});
const debt = (reserveId: number, scaledDebt: bigint): Leg => ({
  reserveId,
  scaledSupply: 0n,
  usedAsCollateral: false,
  scaledDebt,
});

const byAddress = (accounts: Iterable<AaveAccount>): AaveAccount[] =>
  [...accounts].sort((a, b) => (a.address < b.address ? -1 : 1));

describe('positions in columns', () => {
  it('are read back exactly, after any number of changes and removals', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(account, fc.boolean()), { maxLength: 400 }), (changes) => {
        const table = new PositionTable();
        const expected = new Map<Address, AaveAccount>();
        for (const [one, removed] of changes) {
          if (removed) {
            table.delete(one.address);
            expected.delete(one.address);
          } else {
            table.set(one);
            expected.set(one.address, one);
          }
        }
        expect(table.size).toBe(expected.size);
        for (const address of Array.from({ length: 41 }, (_, number) => addressOf(number)))
          expect(table.get(address)).toEqual(expected.get(address));
        // Every account with a leg that counts is below an infinite limit.
        const counts = ({ usedAsCollateral, scaledDebt }: Leg): boolean =>
          usedAsCollateral || scaledDebt > 0n;
        const counted = [...expected.values()].filter((one) => one.legs.some(counts));
        const selected = table.below(Number.MAX_VALUE, at(MARKET, conditions()));
        expect(byAddress(accountsIn(table, selected))).toEqual(byAddress(counted));
      }),
      { numRuns: 60 },
    );
  });

  it('are read back exactly after most were deleted and the holes between them were closed', () => {
    const random = new SeededRandom(5);
    const table = new PositionTable();
    const expected = new Map<Address, AaveAccount>();
    const some = (): bigint => BigInt(random.integer(1, 1_000_000)) ** 3n;
    for (let step = 0; step < 6_000; step += 1) {
      const address = addressOf(random.integer(1, 900));
      // Waves: the table fills, then empties.
      if (random.chance(step % 2_000 < 1_200 ? 0.1 : 0.9)) {
        table.delete(address);
        expected.delete(address);
        continue;
      }
      const reserves = random.some(RESERVES, random.integer(1, 4));
      const one = {
        address,
        eMode: random.chance(0.5) ? 0 : 255,
        legs: reserves.map(({ id }) => (random.chance(0.5) ? supply(id, some()) : debt(id, some()))),
      };
      table.set(one);
      expected.set(address, one);
    }
    expect(table.size).toBe(expected.size);
    for (let number = 1; number <= 900; number += 1)
      expect(table.get(addressOf(number))).toEqual(expected.get(addressOf(number)));
  });

  it('are selected when their exact health factor is below the limit, at any size', () => {
    fc.assert(
      fc.property(
        fc.array(account, { minLength: 1, maxLength: 60 }),
        fc.constantFrom(WAD, (11n * WAD) / 10n),
        fc.constantFrom(MARKET, OLD_MARKET),
        (all, limit, market) => {
          const table = new PositionTable();
          for (const one of all) table.set(one);
          const selected = new Set(
            accountsIn(table, table.below(Number(limit) / 1e18, at(market, conditions()))).map(
              ({ address }) => address,
            ),
          );
          for (const one of new Map(all.map((each) => [each.address, each])).values()) {
            const data = accountData(market, one, conditions());
            if ('priceMissing' in data) throw new Error('every price was given');
            if (data.healthFactorWad < limit) expect(selected).toContain(one.address);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('are selected exactly around the limit, with at most one above it', () => {
    // 1 R0 of collateral covers 2,340 USD of debt. The debts are in R1 at 1 USD, in small steps on both sides
    // of it.
    const table = new PositionTable();
    const now = conditions(PRICES, 1_000);
    const exact: Address[] = [];
    for (let number = 1; number <= 2_000; number++) {
      const one: AaveAccount = {
        address: addressOf(number),
        eMode: 0,
        legs: [supply(0, 10n ** 18n), debt(1, 2_271_000_000n + BigInt(number) * 600n)],
      };
      table.set(one);
      const data = accountData(MARKET, one, now);
      if ('priceMissing' in data) throw new Error('every price was given');
      if (data.healthFactorWad < WAD) exact.push(one.address);
    }
    const selected = accountsIn(table, table.below(1, at(MARKET, now))).map(({ address }) => address);
    expect(exact.length).toBeGreaterThan(100);
    expect(exact.length).toBeLessThan(1_900);
    expect(selected).toEqual(expect.arrayContaining(exact));
    // The slack is one unit of R1 (a millionth of a dollar) and the rounding to USD8. This is less than the
    // 0.0006 USD between two accounts.
    expect(selected.length - exact.length).toBeLessThanOrEqual(1);
  });

  it('are selected when a price is missing, a reserve was dropped or their e-mode category is not known', () => {
    const holder: AaveAccount = {
      address: addressOf(1),
      eMode: 0,
      legs: [supply(0, 10n ** 20n), debt(1, 1_000_000n)],
    };
    const table = new PositionTable();
    const below = (market: AaveMarket, now: MarketConditions): AaveAccount[] =>
      accountsIn(table, table.below(1.1, at(market, now)));
    table.set(holder);
    expect(below(MARKET, conditions())).toEqual([]);
    expect(below(MARKET, conditions([0n, ...PRICES.slice(1)]))).toEqual([holder]);
    const reserves = new Map([...MARKET.reserves].filter(([id]) => id !== 0));
    expect(below({ ...MARKET, reserves }, conditions())).toEqual([holder]);
    table.set({ ...holder, eMode: 9 });
    expect(below(MARKET, conditions())).toEqual([{ ...holder, eMode: 9 }]);
  });
});

describe('the watchlist', () => {
  /** Prices move, time passes, accounts and terms change, in any order. */
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('price' as const),
      id: fc.constantFrom(0, 1, 2, 3),
      bps: fc.oneof(fc.integer({ min: 5_000, max: 15_000 }), fc.integer({ min: 9_970, max: 10_030 })),
    }),
    fc.record({ kind: fc.constant('time' as const), seconds: fc.constantFrom(2, 3_600, 86_400 * 20) }),
    fc.record({ kind: fc.constant('account' as const), account, removed: fc.boolean() }),
    fc.record({ kind: fc.constant('threshold' as const), bps: fc.integer({ min: 5_000, max: 9_000 }) }),
    fc.record({ kind: fc.constant('missing' as const), id: fc.constantFrom(0, 1, 2, 3) }),
  );

  it('has every account below the limit, after any changes in any order', () => {
    fc.assert(
      fc.property(
        fc.array(account, { minLength: 1, maxLength: 40 }),
        fc.array(fc.array(step, { maxLength: 3 }), { minLength: 1, maxLength: 12 }),
        fc.constantFrom(MARKET, OLD_MARKET),
        (start, blocks, first) => {
          const table = new PositionTable();
          const watchlist = new Watchlist(table.rows, 1.1);
          for (const one of start) table.set(one);
          let market = first;
          let prices = [...PRICES];
          let timestamp = 1_000;
          for (const steps of blocks) {
            const touched = new Set<Address>();
            for (const one of steps) {
              if (one.kind === 'price')
                prices = prices.map((price, id) =>
                  id === one.id ? (price * BigInt(one.bps)) / 10_000n : price,
                );
              else if (one.kind === 'missing')
                prices = prices.map((price, id) => (id === one.id ? 0n : price));
              else if (one.kind === 'time') timestamp += one.seconds;
              else if (one.kind === 'threshold') {
                const changed = RESERVES.map((each) => ({
                  ...each,
                  liquidationThresholdBps: BigInt(one.bps),
                }));
                market = {
                  ...market,
                  reserves: new Map(changed.map((each) => [each.id, each])),
                  eModes: new Map(market.eModes),
                };
              } else {
                if (one.removed) table.delete(one.account.address);
                else table.set(one.account);
                touched.add(one.account.address);
              }
            }
            const now = conditions(prices, timestamp);
            watchlist.update(marketFactors(market, now), touched);
            const addresses = (rows: Iterable<number>): Set<Address> =>
              new Set(accountsIn(table, rows).map(({ address }) => address));
            const listed = addresses(watchlist.rows);
            const liquidatable = addresses(watchlist.below(1));
            for (let number = 1; number <= 40; number++) {
              const one = table.get(addressOf(number));
              if (!one) continue;
              const data = accountData(market, one, now);
              if ('priceMissing' in data || data.healthFactorWad < (11n * WAD) / 10n)
                expect(listed).toContain(one.address);
              if ('priceMissing' in data || data.healthFactorWad < WAD)
                expect(liquidatable).toContain(one.address);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('misses no account near a limit while prices move slowly in any direction', () => {
    // 1 R0 of collateral covers 2,340 R1 of debt. The health factors go from 0.97 to 1.3 in steps of a
    // thousandth.
    const table = new PositionTable();
    for (let number = 1; number <= 330; number++) {
      const healthFactor = 0.97 + number / 1_000;
      const borrower = { address: addressOf(number), eMode: 0 };
      table.set({
        ...borrower,
        legs: [supply(0, 10n ** 18n), debt(1, BigInt(Math.round(2_271_844_660 / healthFactor)))],
      });
    }
    const watchlist = new Watchlist(table.rows, 1.1);
    const creep = [
      [-40, 0],
      [0, 40],
      [-30, 30],
      [80, -60],
      [-500, 0],
      [0, 700],
      [1_000, -500],
    ] as const;
    let prices = [...PRICES];
    for (let block = 0; block < 70; block++) {
      const [collateralBps, debtBps] = creep[block % creep.length] ?? [0, 0];
      prices = prices.map((price, id) => {
        const bps = id === 0 ? collateralBps : id === 1 ? debtBps : 0;
        return (price * BigInt(10_000 + bps)) / 10_000n;
      });
      const now = conditions(prices, 1_000 + block);
      watchlist.update(marketFactors(MARKET, now), []);
      const healthFactors = [...table.keys()].map((address) => {
        const one = table.get(address);
        const data = one && accountData(MARKET, one, now);
        return { address, healthFactorWad: data && 'healthFactorWad' in data ? data.healthFactorWad : 0n };
      });
      const below = (limit: bigint): Address[] =>
        healthFactors.filter(({ healthFactorWad }) => healthFactorWad < limit).map(({ address }) => address);
      const addresses = (rows: Iterable<number>): Address[] =>
        accountsIn(table, rows).map(({ address }) => address);
      expect(addresses(watchlist.rows)).toEqual(expect.arrayContaining(below((11n * WAD) / 10n)));
      // A list of all accounts would be correct too, but of no use.
      expect(watchlist.rows.length).toBeLessThanOrEqual(below((14n * WAD) / 10n).length);
      expect(watchlist.rows.length).toBeLessThan(table.size);
      expect(addresses(watchlist.below(1))).toEqual(below(WAD));
    }
  });
});
