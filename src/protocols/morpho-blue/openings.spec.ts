import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../devnet/random.js';
import { addressOf } from '../../../testing/builders/aave-market.js';
import type { Hash } from '../../domain/hex.js';
import { USD8, WAD } from '../../domain/money.js';
import { OPENING_HORIZON_SECONDS } from '../lending-market.js';
import { Watchlist } from '../scan/watchlist.js';
import { positionsAboutToOpen } from './at-risk.js';
import { marketFactors } from './factors.js';
import type { FollowedMarket } from './followed-market.js';
import { healthOf, isLiquidatable } from './health.js';
import { accrued } from './market.js';
import { Openings } from './openings.js';
import { PositionTable } from './position-table.js';
import { ValuedMarket } from './valued-market.js';

/** Repeat a failing run with its seed. */
const SEED = Number(process.env['CROSSINGS_SEED'] ?? Date.now() % 1_000_000);
const NOW = 1_700_000_000;
const MARKETS = 5;
const POSITIONS = 60;
/** 3,000 loan units of 6 decimals for a collateral unit of 18. */
const PRICE = 3_000n * 10n ** (36n + 6n - 18n);
const LLTV_WAD = (WAD * 86n) / 100n;

/** From quiet to fully used: the rate at target goes from 1 % to 40 % a year. */
function market(number: number, random: SeededRandom): FollowedMarket {
  const id: Hash = `0x${number.toString(16).padStart(64, '0')}`;
  const supplyAssets = 10n ** 13n;
  const borrowAssets = (supplyAssets * BigInt(random.integer(5_000, 10_000))) / 10_000n;
  const [collateral, loan] = [
    { address: addressOf(1), symbol: 'WETH', decimals: 18 },
    { address: addressOf(2), symbol: 'USDC', decimals: 6 },
  ];
  const oracle = addressOf(100 + number);
  return {
    ...{ id, collateral, loan, oracle: { kind: 'other' } },
    params: {
      loanToken: loan.address,
      collateralToken: collateral.address,
      ...{ oracle, irm: addressOf(3), lltvWad: LLTV_WAD },
    },
    totals: {
      ...{ supplyAssets, supplyShares: supplyAssets * 10n ** 6n, borrowAssets },
      ...{ borrowShares: borrowAssets * 10n ** 6n, lastUpdate: NOW - random.integer(0, 3_600), feeWad: 0n },
    },
    rate: { kind: 'adaptive-curve', rateAtTargetWad: BigInt(random.integer(3, 120)) * 10n ** 8n },
  };
}

function valuedAt(market: FollowedMarket, timestamp: number): ValuedMarket {
  return new ValuedMarket(market, timestamp, {
    oracle: { price: PRICE, updatedAt: undefined },
    loan: { priceUsd8: USD8, updatedAt: undefined },
    ...{ collateralUsd8: 3_000n * USD8, jumped: new Set() },
  });
}

describe(`positions on Morpho Blue that interest alone opens (seed ${SEED})`, () => {
  it('are told with the very second, as a look at each second finds them, each in its own market', () => {
    const random = new SeededRandom(SEED);
    const all = Array.from({ length: MARKETS }, (_, number) => market(number + 1, random));
    const byId = new Map(all.map((one) => [one.id, one]));
    const table = new PositionTable();
    const watchlist = new Watchlist(table.rows, 1.1);
    const openings = new Openings(table, watchlist);
    for (let number = 1; number <= POSITIONS; number++) {
      const legs = random.some(all, random.integer(1, 3)).map((one) => {
        const collateral = BigInt(random.integer(1, 500)) * 10n ** 18n;
        const { totals } = accrued(one, NOW);
        // A hair below what it may owe: some seconds of interest, more or less.
        const most = (((collateral * PRICE) / 10n ** 36n) * LLTV_WAD) / WAD;
        const debt = most - (most * BigInt(random.integer(-20, 400))) / 10n ** 9n;
        return {
          marketId: one.id,
          collateral,
          borrowShares: (debt * totals.borrowShares) / totals.borrowAssets,
        };
      });
      table.set({
        address: addressOf(1_000 + number),
        legs: legs.sort((a, b) => (a.marketId < b.marketId ? -1 : 1)),
      });
    }
    let seen = 0;
    for (let block = 0; block < 20; block++) {
      const now = NOW + block;
      const valued = new Map(all.map((one) => [one.id, valuedAt(one, now)]));
      watchlist.update(
        marketFactors([...byId.keys()], (id) => table.numberOf(id), valued),
        [],
      );
      const rows = watchlist.below(1).flatMap((row) => table.positionIn(row) ?? []);
      const positions = rows.map((one) => {
        const at = valued.get(one.marketId)!;
        return { ...one, health: healthOf(at.totals, one.position, at.price, at.lltvWad) };
      });
      const found = openings.update(now, byId, valued, positions, []);
      const told = found.map(({ borrower, marketId, opensAt }) => `${borrower} ${marketId} ${opensAt}`);
      expect(told.toSorted()).toEqual(bySeconds(table, all, now).toSorted());
      expect(found.map(({ opensAt }) => opensAt)).toEqual(
        found.map(({ opensAt }) => opensAt).toSorted((one, other) => one - other),
      );
      const limits = { maxNotionalUsd8: 10n ** 18n, fundingHorizonSeconds: 60 };
      for (const one of positionsAboutToOpen({ protocol: 'morpho', morpho: addressOf(9) }, found, limits)) {
        expect(one.schedule.opensAt).toBeGreaterThan(now);
        expect(one.healthFactorWad).toBeLessThan(WAD);
        expect(one.pairs[0]?.candidates.length).toBeGreaterThan(0);
      }
      seen += found.length;
    }
    expect(seen).toBeGreaterThan(20);
  });
});

/** What opens within the horizon and is closed now. */
function bySeconds(table: PositionTable, markets: readonly FollowedMarket[], now: number): string[] {
  const found: string[] = [];
  for (const address of table.keys()) {
    for (const { marketId, ...position } of table.get(address)?.legs ?? []) {
      const one = markets.find(({ id }) => id === marketId)!;
      for (let after = 0; after <= OPENING_HORIZON_SECONDS; after++) {
        const { totals } = accrued(one, now + after);
        if (!isLiquidatable(healthOf(totals, position, PRICE, LLTV_WAD))) continue;
        if (after > 0) found.push(`${address} ${marketId} ${now + after}`);
        break;
      }
    }
  }
  return found;
}
