/**
 * All prices changed, and the positions of all three families are looked at again: as the bot does it, by a
 * scan of all columns, and by exact arithmetic on all.
 */
import type { Address, Hash } from '../../src/domain/hex.js';
import { marketFactors as aaveFactors } from '../../src/protocols/aave-v3/factors.js';
import { PositionTable as AaveTable } from '../../src/protocols/aave-v3/position-table.js';
import { marketFactors as compoundFactors } from '../../src/protocols/compound-v2/factors.js';
import { PositionTable as CompoundTable } from '../../src/protocols/compound-v2/position-table.js';
import { marketFactors as blueFactors } from '../../src/protocols/morpho-blue/factors.js';
import { PositionTable as BlueTable } from '../../src/protocols/morpho-blue/position-table.js';
import { Factors } from '../../src/protocols/scan/factors.js';
import { Watchlist } from '../../src/protocols/scan/watchlist.js';
import { percentile } from '../../devnet/demo/totals.js';
import { SeededRandom } from '../../devnet/random.js';
import { compoundAccountsOf, compoundSetting, isOpenAt } from './compound-world.js';
import {
  differences,
  measurement,
  timed,
  userMs,
  type GroupOptions,
  type Measurement,
} from './measurement.js';
import { blueAccountsOf, blueWorld, isUnhealthy, worthsOf } from './morpho-world.js';
import { LIMITS } from './tracked.js';
import { accountsOf, isBelowOne, syntheticWorld } from './world.js';

/** Of all positions; Morpho Blue has the rest. */
const AAVE_SHARE = 0.5;
const COMPOUND_SHARE = 0.25;
const MARKETS = 500;
const BLOCKS = 120;
const BLOCK_SECONDS = 2;
const WATCH_BELOW = Number(LIMITS.watchBelowWad) / 1e18;
/** Not measured: in the first passes the engine still compiles the code. */
const WARM_UP = 20;
/** Before this block all prices fall by so much at once, and the lists are made anew from a full scan. */
const FALL = { block: WARM_UP + BLOCKS / 2, perMillion: 40_000 };

/** A family with its positions. */
interface Family {
  readonly name: string;
  readonly positions: number;
  /** Two seconds later, with prices that lie around this share of those at the start. */
  readonly nextBlock: (perMillion: number, random: SeededRandom) => void;
  /** The positions that may be liquidated, as the bot does it: a list selects, exact arithmetic decides. */
  readonly rescan: () => Set<string>;
  /** The same without a list: every position is looked at with floats. */
  readonly scanAll: () => Set<string>;
  /** The same with exact arithmetic alone. */
  readonly exactly: () => Set<string>;
}

export function mixed({ positions, progress }: GroupOptions): Measurement[] {
  progress(`making ${positions} positions of three families`);
  const ofAave = Math.round(positions * AAVE_SHARE);
  const ofCompound = Math.round(positions * COMPOUND_SHARE);
  const families = [aave(ofAave), compound(ofCompound), morpho(positions - ofAave - ofCompound)];

  progress(`looking at all of them again at ${BLOCKS} blocks`);
  const random = new SeededRandom(53);
  const times = families.map((): number[] => []);
  const [rescans, scans]: [number[], number[]] = [[], []];
  const found = families.map(() => new Set<string>());
  let user = 0;
  for (let block = 0; block < WARM_UP + BLOCKS; block++) {
    const level = 1_000_000 - (block < FALL.block ? 0 : FALL.perMillion);
    for (const family of families) family.nextBlock(level, random);
    const userBefore = userMs();
    const each = families.map((family, index) =>
      timed(() => {
        found[index] = family.rescan();
      }),
    );
    const ofRescan = userMs() - userBefore;
    let scanned = families.map(() => new Set<string>());
    const ofScan = timed(() => {
      scanned = families.map((family) => family.scanAll());
    });
    for (const [index, { name }] of families.entries())
      expectEqual(name, found[index] ?? new Set(), scanned[index] ?? new Set());
    if (block < WARM_UP) continue;
    user += ofRescan;
    rescans.push(sum(each));
    scans.push(ofScan);
    for (const [index, ms] of each.entries()) times[index]?.push(ms);
  }

  progress('computing all of them exactly');
  const userBefore = userMs();
  let exact = families.map(() => new Set<string>());
  const exactMs = timed(() => {
    exact = families.map((family) => family.exactly());
  });
  const exactUser = userMs() - userBefore;
  const misjudged = families.map(({ name }, index) =>
    expectEqual(name, found[index] ?? new Set(), exact[index] ?? new Set()),
  );
  return [
    ...families.map(({ name, positions: of }) => measurement(`mixed.${name}`, of, 'positions')),
    measurement('mixed.liquidatable', sum(found.map(({ size }) => size)), 'positions'),
    measurement('mixed.misjudged', sum(misjudged), 'positions'),
    ...families.map(({ name }, index) =>
      measurement(`mixed.rescan.${name}.p50`, percentile(times[index] ?? [], 50), 'ms'),
    ),
    measurement('mixed.rescan.p50', percentile(rescans, 50), 'ms', exactMs),
    measurement('mixed.rescan.p99', percentile(rescans, 99), 'ms', exactMs),
    measurement('mixed.rescan.worst', Math.max(...rescans), 'ms', exactMs),
    measurement('mixed.rescan.userCpu', user / BLOCKS, 'ms', exactUser),
    measurement('mixed.scanAll.p50', percentile(scans, 50), 'ms', exactMs),
  ];
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

/** @returns 0 @throws Error when a position is in one of the sets alone */
function expectEqual(name: string, some: ReadonlySet<string>, others: ReadonlySet<string>): number {
  const misjudged = differences(some, others);
  if (misjudged > 0) throw new Error(`${misjudged} positions of ${name} were misjudged`);
  return misjudged;
}

function aave(positions: number): Family {
  const { market, conditions: start } = syntheticWorld();
  const table = new AaveTable();
  for (const account of accountsOf({ market, conditions: start }, positions)) table.set(account);
  const list = new Watchlist(table.rows, WATCH_BELOW);
  const factors = new Factors();
  let conditions = start;
  const judge = (rows: Iterable<number>): Set<Address> => {
    const below = new Set<Address>();
    for (const row of rows) {
      const account = table.accountIn(row);
      if (account && isBelowOne(market, account, conditions)) below.add(account.address);
    }
    return below;
  };
  return {
    name: 'aave',
    positions: table.size,
    nextBlock: (level, random) => {
      const timestamp = conditions.timestamp + BLOCK_SECONDS;
      conditions = { ...conditions, timestamp, prices: moved(start.prices, level, random) };
    },
    rescan: () => {
      list.update(aaveFactors(market, conditions), []);
      return judge(list.below(1));
    },
    scanAll: () => {
      aaveFactors(market, conditions)(factors);
      return judge(table.below(1, factors));
    },
    exactly: () => judge(allRows(table.rows)),
  };
}

function compound(positions: number): Family {
  const setting = compoundSetting();
  const { market, conditions: start } = setting;
  const table = new CompoundTable();
  for (const account of compoundAccountsOf(setting, positions)) table.set(account);
  const list = new Watchlist(table.rows, WATCH_BELOW);
  const factors = new Factors();
  let conditions = start;
  const judge = (rows: Iterable<number>): Set<Address> => {
    const open = new Set<Address>();
    for (const row of rows) {
      const account = table.accountIn(row);
      if (account && isOpenAt(market, account, conditions)) open.add(account.address);
    }
    return open;
  };
  return {
    name: 'compound',
    positions: table.size,
    nextBlock: (level, random) => {
      const at = conditions.at + BigInt(BLOCK_SECONDS);
      conditions = { ...conditions, at, prices: moved(start.prices, level, random) };
    },
    rescan: () => {
      list.update(compoundFactors(market, conditions), []);
      return judge(list.below(1));
    },
    scanAll: () => {
      compoundFactors(market, conditions)(factors);
      return judge(table.rows.below(1, factors));
    },
    exactly: () => judge(allRows(table.rows)),
  };
}

function morpho(positions: number): Family {
  const world = blueWorld(MARKETS);
  const table = new BlueTable();
  for (const account of blueAccountsOf(world, positions)) table.set(account);
  const ids = world.markets.map(({ id }) => id);
  const numberOf = (id: Hash): number => table.numberOf(id);
  const list = new Watchlist(table.rows, WATCH_BELOW);
  const factors = new Factors();
  let { usd8, timestamp } = world;
  let worths = worthsOf(world.markets, usd8, timestamp);
  const judge = (rows: Iterable<number>): Set<string> => {
    const open = new Set<string>();
    for (const row of rows) {
      const found = table.positionIn(row);
      const worth = found && worths.get(found.marketId);
      if (worth && isUnhealthy(found.position, worth)) open.add(`${found.borrower} ${found.marketId}`);
    }
    return open;
  };
  return {
    name: 'morpho',
    positions: table.rows.size,
    nextBlock: (level, random) => {
      timestamp += BLOCK_SECONDS;
      usd8 = moved(world.usd8, level, random);
    },
    rescan: () => {
      worths = worthsOf(world.markets, usd8, timestamp);
      list.update(blueFactors(ids, numberOf, worths), []);
      return judge(list.below(1));
    },
    scanAll: () => {
      blueFactors(ids, numberOf, worths)(factors);
      return judge(table.rows.below(1, factors));
    },
    exactly: () => judge(allRows(table.rows)),
  };
}

/** Every price is a little higher or lower than this share of what it was at the start. */
function moved<Key>(prices: ReadonlyMap<Key, bigint>, level: number, random: SeededRandom): Map<Key, bigint> {
  const perMillion = (): bigint => BigInt(level + random.integer(-2_000, 2_000));
  return new Map([...prices].map(([key, price]) => [key, (price * perMillion()) / 1_000_000n]));
}

function* allRows({ rowCount }: { readonly rowCount: number }): Generator<number> {
  for (let row = 0; row < rowCount; row++) yield row;
}
