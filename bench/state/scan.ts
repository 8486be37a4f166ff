/**
 * Finds the positions below a health factor of 1: in a full pass, after one price moved, and by exact
 * arithmetic on all.
 */
import type { Address } from '../../src/domain/hex.js';
import type { MarketConditions } from '../../src/protocols/aave-v3/market.js';
import { PositionTable } from '../../src/protocols/aave-v3/position-table.js';
import { marketFactors } from '../../src/protocols/aave-v3/factors.js';
import { Factors } from '../../src/protocols/scan/factors.js';
import { Watchlist } from '../../src/protocols/scan/watchlist.js';
import { percentile } from '../../devnet/demo/totals.js';
import { SeededRandom } from '../../devnet/random.js';
import { differences, measurement, timed, type GroupOptions, type Measurement } from './measurement.js';
import { LIMITS } from './tracked.js';
import { accountsOf, addressOf, isBelowOne, syntheticWorld, type World } from './world.js';

const BLOCKS = 120;
const BLOCK_SECONDS = 2;
/** Not measured: in the first passes the engine still compiles the code. */
const WARM_UP = 20;
/** Accounts taken out of the table at once, while the clock does not run. */
const AT_ONCE = 10_000;

/** Each block has a price of the last asset, which a tenth holds, and two seconds of interest. */
export function scan({ positions, progress }: GroupOptions): Measurement[] {
  progress(`making ${positions} positions`);
  const world = syntheticWorld();
  const table = new PositionTable();
  let legs = 0;
  let holders = 0;
  const { id: moving } = assetThatMoves(world);
  for (const account of accountsOf(world, positions)) {
    legs += account.legs.length;
    if (account.legs.some(({ reserveId }) => reserveId === moving)) holders += 1;
    table.set(account);
  }

  progress(`scanning them at ${BLOCKS} blocks, wholly and after one price moved`);
  const random = new SeededRandom(19);
  const watchlist = new Watchlist(table.rows, Number(LIMITS.watchBelowWad) / 1e18);
  const factors = new Factors();
  const rescans: number[] = [];
  const moves: number[] = [];
  let { conditions } = world;
  let found = new Set<Address>();
  for (let block = 0; block < WARM_UP + BLOCKS; block++) {
    conditions = nextBlock(world, conditions, random);
    const { market } = world;
    let foundByList = found;
    const move = timed(() => {
      watchlist.update(marketFactors(market, conditions), []);
      foundByList = liquidatable(table, watchlist.below(1), { market, conditions });
    });
    const rescan = timed(() => {
      marketFactors(market, conditions)(factors);
      found = liquidatable(table, table.below(1, factors), { market, conditions });
    });
    const misjudged = differences(foundByList, found);
    if (misjudged > 0) throw new Error(`after a price moved, ${misjudged} positions were misjudged`);
    if (block < WARM_UP) continue;
    moves.push(move);
    rescans.push(rescan);
  }

  progress('computing all of them exactly');
  const exact = exactly(positions, table, { market: world.market, conditions });
  const misjudged = differences(found, exact.liquidatable);
  if (misjudged > 0) throw new Error(`${misjudged} of ${positions} positions were misjudged`);
  const [rescan50, rescan99] = [percentile(rescans, 50), percentile(rescans, 99)];
  return [
    measurement('rescan.positions', positions, 'positions'),
    measurement('rescan.meanLegs', legs / positions, 'legs'),
    measurement('rescan.liquidatable', found.size, 'positions'),
    measurement('rescan.misjudged', misjudged, 'positions'),
    measurement('rescan.p50', rescan50, 'ms', exact.milliseconds),
    measurement('rescan.p99', rescan99, 'ms', exact.milliseconds),
    measurement('priceMove.holders', holders, 'positions'),
    measurement('priceMove.watched', watchlist.rows.length, 'positions'),
    measurement('priceMove.p50', percentile(moves, 50), 'ms', rescan50),
    measurement('priceMove.p99', percentile(moves, 99), 'ms', rescan99),
  ];
}

function assetThatMoves({ market }: World): { id: number; asset: Address } {
  const last = [...market.reserves.values()].at(-1);
  if (!last) throw new Error('the market has no reserves');
  return last;
}

function nextBlock(world: World, before: MarketConditions, random: SeededRandom): MarketConditions {
  const { asset } = assetThatMoves(world);
  const start = Number(world.conditions.prices.get(asset));
  const prices = new Map(before.prices).set(asset, BigInt(Math.round(start * random.between(0.995, 1.005))));
  return { ...before, prices, timestamp: before.timestamp + BLOCK_SECONDS };
}

/** Floats have selected, exact arithmetic decides: as TrackedMarket's view does it. */
function liquidatable(
  table: PositionTable,
  selected: readonly number[],
  { market, conditions }: World,
): Set<Address> {
  const found = new Set<Address>();
  for (const row of selected) {
    const account = table.accountIn(row);
    if (account && isBelowOne(market, account, conditions)) found.add(account.address);
  }
  return found;
}

/** The baseline: every position in exact bigint. */
function exactly(
  positions: number,
  table: PositionTable,
  { market, conditions }: World,
): { milliseconds: number; liquidatable: Set<Address> } {
  const found = new Set<Address>();
  let milliseconds = 0;
  for (let first = 1; first <= positions; first += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, positions - first + 1) }, (_, index) => {
      const account = table.get(addressOf(first + index));
      if (!account) throw new Error(`position ${first + index} is gone`);
      return account;
    });
    milliseconds += timed(() => {
      for (const account of some) {
        if (isBelowOne(market, account, conditions)) found.add(account.address);
      }
    });
  }
  return { milliseconds, liquidatable: found };
}
