import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../devnet/random.js';
import { addressOf } from '../../../testing/builders/aave-market.js';
import { compoundConditions, compoundMarket } from '../../../testing/builders/compound.js';
import type { Address } from '../../domain/hex.js';
import { WAD } from '../../domain/money.js';
import { OPENING_HORIZON_SECONDS } from '../lending-market.js';
import { Watchlist } from '../scan/watchlist.js';
import { opens, positionsAboutToOpen, type CompoundPosition, type ViewData } from './at-risk.js';
import { marketFactors } from './factors.js';
import { liquidityOf, positionOf } from './health.js';
import type { CompoundAccount, CompoundMarket, InterestClock, Leg, MarketConditions } from './market.js';
import { momentAt, Openings } from './openings.js';
import { PositionTable } from './position-table.js';
import { viewedPosition } from './viewed-position.js';

/** Another run: CROSSINGS_SEED=… npx vitest run src/protocols/compound-v2/openings */
const SEED = Number(process.env['CROSSINGS_SEED'] ?? 20_261_129);
const POSITIONS = 40;
const BLOCKS = 10;
const BLOCK_TIME_MS = 2_000;
const FIRST = { number: 5_000, timestamp: 1_700_000_000 };
const LIMITS = { maxNotionalUsd8: 10n ** 18n, fundingHorizonSeconds: 60 };

type Head = typeof FIRST;

describe.each(['timestamp', 'block'] as const)(
  `positions that interest alone opens, counted by %s (seed ${SEED})`,
  (clock) => {
    it('are told with their first second, as a look at each second finds them', () => {
      const random = new SeededRandom(SEED);
      const market = compoundMarket({ clock });
      const table = new PositionTable();
      const watchlist = new Watchlist(table.rows, 1.1);
      const openings = new Openings(table, watchlist, BLOCK_TIME_MS);
      const states = statesOf(random, clock);
      const { prices } = compoundConditions();
      const at = (head: Head): MarketConditions => ({ at: nowOf(clock, head), states, prices });
      for (let index = 0; index < POSITIONS; index++)
        table.set(randomAccount(addressOf(1_000 + index), market, at(FIRST), random));
      let seen = 0;
      for (let passed = 0; passed < BLOCKS; passed++) {
        const head = { number: FIRST.number + passed, timestamp: FIRST.timestamp + 2 * passed };
        const conditions = at(head);
        watchlist.update(marketFactors(market, conditions), []);
        const positions = openNow(market, table, conditions);
        const told = openings.update(head, market, conditions, positions, []);
        expect(told.map(({ account, opensAt }) => `${account.address} ${opensAt}`)).toEqual(
          bySeconds(market, table, conditions, head),
        );
        const view = standardView(market, conditions, positions, told);
        const planned = [...positionsAboutToOpen(view, LIMITS)];
        expect(planned.map(({ schedule }) => schedule.opensAt)).toEqual(told.map(({ opensAt }) => opensAt));
        for (const { healthFactorWad, pairs } of planned) {
          expect(healthFactorWad).toBeLessThan(WAD);
          expect(pairs.some(({ candidates }) => candidates.length > 0)).toBe(true);
        }
        seen += told.length;
      }
      expect(seen).toBeGreaterThan(BLOCKS);
    });
  },
);

describe('the moment of a later block time', () => {
  const head = { number: 100, timestamp: 1_000 };
  it('is that time where seconds count', () => {
    expect(momentAt('timestamp', head, 1_011, 2_000)).toBe(1_011n);
  });

  it('is the block that the chain has reached by then where blocks count', () => {
    const moments = [1_000, 1_001, 1_002, 1_011, 1_012].map((time) => momentAt('block', head, time, 2_000));
    expect(moments).toEqual([100n, 100n, 101n, 105n, 106n]);
    expect(momentAt('block', head, 1_001, 250)).toBe(104n);
  });
});

const nowOf = (clock: InterestClock, { number, timestamp }: Head): bigint =>
  BigInt(clock === 'block' ? number : timestamp);

/** Rates of 2 to 20 % a year, booked some time ago. */
function statesOf(random: SeededRandom, clock: InterestClock): MarketConditions['states'] {
  const scale = clock === 'block' ? 2 : 1;
  return new Map(
    [...compoundConditions().states].map(([id, state]) => [
      id,
      {
        ...state,
        accruedAt: nowOf(clock, FIRST) - BigInt(random.integer(0, 300)),
        borrowRateWad: BigInt(random.integer(6, 60) * scale) * 10n ** 8n,
      },
    ]),
  );
}

/** Collateral of up to $60,000 in one market or in both, and a debt near the limit. */
function randomAccount(
  address: Address,
  market: CompoundMarket,
  conditions: MarketConditions,
  random: SeededRandom,
): CompoundAccount {
  const [first, debtIn] = [random.integer(0, 1), random.integer(0, 1)];
  const held = random.chance(0.3) ? [0, 1] : [first];
  const legs: Leg[] = [0, 1].map((mTokenId) => ({
    ...{ mTokenId, entered: true, principal: 0n, interestIndex: 0n },
    tokens: held.includes(mTokenId) ? BigInt(random.integer(1, 10 ** 5)) * 10n ** 6n : 0n,
  }));
  const position = positionOf(market, { address, legs }, conditions);
  if ('priceMissing' in position) throw new Error('every price was expected');
  const { sumCollateral } = liquidityOf(
    position,
    position.legs.map(({ mToken }) => mToken),
  );
  const leg = position.legs[debtIn]!;
  const most = (sumCollateral * WAD) / leg.price;
  // Some seconds of interest, more or less.
  const debt = most - (most * BigInt(random.integer(-20, 150))) / 10n ** 9n;
  const interestIndex = WAD + BigInt(random.integer(0, 10 ** 9));
  const principal = (debt * interestIndex) / leg.accrued.borrowIndex;
  return {
    address,
    legs: legs.map((one) => (one.mTokenId === debtIn ? { ...one, principal, interestIndex } : one)),
  };
}

function openNow(
  market: CompoundMarket,
  table: PositionTable,
  conditions: MarketConditions,
): Map<Address, CompoundPosition> {
  const terms = { market, feeds: new Map(), wrapped: new Map() };
  const found = [...table.accounts()].flatMap(
    (account) => viewedPosition(terms, conditions, new Map(), account, WAD) ?? [],
  );
  return new Map(found.map((position) => [position.account.address, position]));
}

/** What is closed now and opens within the horizon, in the order of the seconds. */
function bySeconds(
  market: CompoundMarket,
  table: PositionTable,
  conditions: MarketConditions,
  head: Head,
): string[] {
  const found: { readonly address: Address; readonly second: number }[] = [];
  for (const account of table.accounts()) {
    const isOpen = (second: number): boolean => {
      const at = momentAt(market.clock, head, second, BLOCK_TIME_MS);
      const position = positionOf(market, account, { ...conditions, at });
      return !('priceMissing' in position) && opens(position);
    };
    const end = head.timestamp + OPENING_HORIZON_SECONDS;
    for (let second = head.timestamp; second <= end; second++) {
      if (!isOpen(second)) continue;
      if (second > head.timestamp) found.push({ address: account.address, second });
      break;
    }
  }
  return found
    .sort((one, other) => one.second - other.second || (one.address < other.address ? -1 : 1))
    .map(({ address, second }) => `${address} ${second}`);
}

function standardView(
  market: CompoundMarket,
  conditions: MarketConditions,
  positions: ViewData['positions'],
  openingSoon: ViewData['openingSoon'],
): ViewData {
  return { market, conditions, positions, openingSoon, priceTimes: new Map(), jumped: new Set() };
}
