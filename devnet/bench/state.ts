/** `npm run bench:state`: what the picture of a large market costs, ours against the plain way, in one run. */
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Interface } from 'ethers';
import { messageOf } from '../../src/domain/errors.js';
import type { Address, Hex } from '../../src/domain/hex.js';
import { changesOf } from '../../src/protocols/aave-v3/events.js';
import { accountData } from '../../src/protocols/aave-v3/health.js';
import {
  borrowIndexAt,
  liquidityIndexAt,
  type AaveAccount,
  type AaveMarket,
  type MarketConditions,
  type Reserve,
} from '../../src/protocols/aave-v3/market.js';
import { PositionTable } from '../../src/protocols/aave-v3/position-table.js';
import { Prefilter } from '../../src/protocols/aave-v3/prefilter.js';
import { rulesOf } from '../../src/protocols/aave-v3/versions.js';
import type { RawLog } from '../../src/rpc/chain-answers.js';
import { percentile } from '../demo/totals.js';
import { SeededRandom } from '../random.js';

/** One measurement, as `--json` prints them. */
interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The plain way in the same run, where there is one. */
  readonly baseline: number | null;
  /** value / baseline. */
  readonly ratio: number | null;
}

const RESERVES = 12;
const WAD = 10n ** 18n;
const RAY = 10n ** 27n;
const SCANS = 15;
const NOW = 1_800_000_000;
const LOGS = 200_000;
const LIMIT = 1;
/** Share of the positions with a health factor below 1: a thousand in a million. */
const LIQUIDATABLE = 0.001;

/** Dollars with 6 decimals, bitcoins with 8, and tokens of any price with 18. */
function marketOf(random: SeededRandom): { market: AaveMarket; conditions: MarketConditions } {
  const rules = rulesOf(10);
  if (!rules) throw new Error('Aave v3.6 is not known');
  const address = (number: number): Address => `0x${number.toString(16).padStart(40, '0')}`;
  const reserves = Array.from({ length: RESERVES }, (_, id): Reserve => ({
    id,
    asset: address(1_000 + id),
    symbol: `R${id}`,
    decimals: [6, 8, 18][id % 3] ?? 18,
    aToken: address(2_000 + id),
    variableDebtToken: address(3_000 + id),
    liquidationThresholdBps: 7_500n + BigInt(id * 100),
    liquidationBonusBps: 10_500n,
    liquidationProtocolFeeBps: 1_000n,
    active: true,
    paused: false,
    gracePeriodUntil: 0,
    indexes: {
      liquidityIndex: RAY + (RAY * BigInt(id)) / 100n,
      liquidityRate: RAY / 50n,
      variableBorrowIndex: RAY + (RAY * BigInt(id)) / 60n,
      variableBorrowRate: RAY / 20n,
      updatedAt: NOW - 40,
    },
  }));
  const market: AaveMarket = {
    name: 'bench',
    addressesProvider: address(1),
    pool: address(2),
    poolConfigurator: address(3),
    oracle: address(4),
    sentinel: undefined,
    rules,
    reserves: new Map(reserves.map((reserve) => [reserve.id, reserve])),
    eModes: new Map(),
  };
  const dollars = [1, 90_000, 0];
  const prices = new Map(
    reserves.map(({ asset, id }) => {
      const price = dollars[id % 3] || random.magnitude(0.5, 5_000);
      return [asset, BigInt(Math.round(price * random.between(0.99, 1.01) * 1e8))];
    }),
  );
  return { market, conditions: { timestamp: NOW, prices, sentinelAllows: true } };
}

/** Mean 3.3 legs; as many just above a health factor of 1 as anywhere, on a logarithmic scale. */
function accountOf(
  number: number,
  random: SeededRandom,
  { market, conditions }: ReturnType<typeof marketOf>,
): AaveAccount {
  const reserves = [...market.reserves.values()];
  const scaledWorth = ({ asset, decimals }: Reserve, usd: number, index: bigint): bigint =>
    (BigInt(Math.round(usd * 1e8)) * 10n ** BigInt(decimals) * RAY) /
    ((conditions.prices.get(asset) ?? 1n) * index);
  const howMany = 2 + random.integer(0, 2) + (random.chance(0.3) ? 1 : 0);
  const [first, ...others] = random.some(reserves, howMany);
  if (!first) throw new Error('a reserve was expected');
  const collateralUsd = random.magnitude(50, 5_000_000);
  const healthFactor = random.chance(LIQUIDATABLE) ? random.between(0.9, 1) : 1 + random.magnitude(1e-4, 20);
  const debts = others.length > 1 ? others.slice(0, Math.ceil(others.length / 2)) : others;
  const collaterals = [first, ...others.slice(debts.length)];
  const share = collateralUsd / collaterals.length;
  const thresholds = collaterals.reduce(
    (sum, one) => sum + share * Number(one.liquidationThresholdBps) * 1e-4,
    0,
  );
  const debtShare = thresholds / healthFactor / debts.length;
  return {
    address: `0x${number.toString(16).padStart(40, '0')}`,
    eMode: 0,
    legs: [
      ...collaterals.map((one) => ({
        reserveId: one.id,
        scaledSupply: scaledWorth(one, share, liquidityIndexAt(one.indexes, NOW)),
        usedAsCollateral: true,
        scaledDebt: 0n,
      })),
      ...debts.map((one) => ({
        reserveId: one.id,
        scaledSupply: 0n,
        usedAsCollateral: false,
        scaledDebt: scaledWorth(one, debtShare, borrowIndexAt(one.indexes, NOW)),
      })),
    ],
  };
}

/** A full pass with prices of its own each time, and the exact check of whoever is selected. */
function scan(table: PositionTable, market: AaveMarket, conditions: MarketConditions): Set<Address> {
  const found = new Set<Address>();
  for (const row of table.below(LIMIT, new Prefilter().update(market, conditions))) {
    const account = table.accountIn(row) ?? raise('the row is empty');
    const data = accountData(market, account, conditions);
    if ('priceMissing' in data || data.healthFactorWad < WAD) found.add(account.address);
  }
  return found;
}

function rescan(positions: number): Measurement[] {
  const random = new SeededRandom(7);
  const world = marketOf(random);
  const { market, conditions } = world;
  const table = new PositionTable();
  let legs = 0;
  for (let number = 1; number <= positions; number++) {
    const account = accountOf(number, random, world);
    legs += account.legs.length;
    table.set(account);
  }
  const rssMb = process.memoryUsage().rss / 1e6;
  const times: number[] = [];
  let found = new Set<Address>();
  for (let run = 0; run < SCANS; run++) {
    const start = performance.now();
    found = scan(table, market, conditions);
    times.push(performance.now() - start);
  }
  const { milliseconds, missed, wrong } = exactly(positions, table, world, found);
  if (missed + wrong > 0) throw new Error(`${missed} positions were missed and ${wrong} found that are none`);
  const p50 = percentile(times, 50);
  return [
    measurement('rescan.positions', positions, 'positions'),
    measurement('rescan.meanLegs', Math.round((100 * legs) / positions) / 100, 'legs'),
    measurement('rescan.liquidatable', found.size, 'positions'),
    measurement('rescan.misjudged', missed + wrong, 'positions'),
    measurement('rescan.p50', p50, 'ms', milliseconds),
    measurement('rescan.p99', percentile(times, 99), 'ms', milliseconds),
    measurement('memory.withPositions', Math.round(rssMb), 'MB'),
  ];
}

/** The baseline: every position in exact bigint. */
function exactly(
  positions: number,
  table: PositionTable,
  { market, conditions }: ReturnType<typeof marketOf>,
  found: ReadonlySet<Address>,
): { milliseconds: number; missed: number; wrong: number } {
  let milliseconds = 0;
  let missed = 0;
  let wrong = 0;
  for (let number = 1; number <= positions; number++) {
    const account = table.get(`0x${number.toString(16).padStart(40, '0')}`);
    if (!account) throw new Error(`position ${number} is gone`);
    const start = performance.now();
    const data = accountData(market, account, conditions);
    milliseconds += performance.now() - start;
    const below = 'priceMissing' in data || data.healthFactorWad < WAD;
    if (below && !found.has(account.address)) missed += 1;
    if (!below && found.has(account.address)) wrong += 1;
  }
  return { milliseconds, missed, wrong };
}

const POOL_EVENTS = new Interface([
  'event Borrow(address indexed reserve, address user, address indexed onBehalfOf, uint256 amount, uint8 interestRateMode, uint256 borrowRate, uint16 indexed referralCode)',
  'event ReserveDataUpdated(address indexed reserve, uint256 liquidityRate, uint256 stableBorrowRate, uint256 variableBorrowRate, uint256 liquidityIndex, uint256 variableBorrowIndex)',
  'event Transfer(address indexed from, address indexed to, uint256 value)',
  'event ReserveUsedAsCollateralEnabled(address indexed reserve, address indexed user)',
]);

/** What one borrow emits, roughly, again and again: every log of it is one that is watched. */
function logsOf(howMany: number, { market }: ReturnType<typeof marketOf>, random: SeededRandom): RawLog[] {
  const reserves = [...market.reserves.values()];
  const account = (): Address => `0x${random.integer(1, 1_000_000).toString(16).padStart(40, '0')}`;
  return Array.from({ length: howMany }, (_, index): RawLog => {
    const { asset, aToken, indexes } = reserves[random.integer(0, RESERVES - 1)] ?? raise('no reserve');
    const { liquidityRate, variableBorrowRate, liquidityIndex, variableBorrowIndex } = indexes;
    const [name, address, values] =
      (
        [
          [
            'ReserveDataUpdated',
            market.pool,
            [asset, liquidityRate, 0n, variableBorrowRate, liquidityIndex, variableBorrowIndex],
          ],
          ['Transfer', aToken, [account(), account(), WAD]],
          ['Borrow', market.pool, [asset, account(), account(), WAD, 2, variableBorrowRate, 0]],
          ['ReserveUsedAsCollateralEnabled', market.pool, [asset, account()]],
        ] as const
      )[index % 4] ?? raise('no event');
    const { topics, data } = POOL_EVENTS.encodeEventLog(name, values);
    return {
      address,
      topics: topics.map((topic) => topic as Hex),
      data: data as Hex,
      blockNumber: 1,
      blockHash: '0x',
      transactionHash: '0x',
      logIndex: index,
    };
  });
}

/** Logs decoded a second: ours by slicing hex, against ethers. */
function decoding(): Measurement[] {
  const random = new SeededRandom(11);
  const world = marketOf(random);
  const logs = logsOf(LOGS, world, random);
  const perSecond = (decode: () => void, howMany: number): number => {
    const rates = Array.from({ length: 5 }, () => {
      const start = performance.now();
      decode();
      return (1_000 * howMany) / (performance.now() - start);
    });
    return percentile(rates, 50);
  };
  const few = logs.slice(0, LOGS / 50);
  const byEthers = perSecond(() => few.forEach((log) => POOL_EVENTS.parseLog(log)), few.length);
  const ours = perSecond(() => void changesOf(world.market, logs), logs.length);
  return [measurement('decode.logs', Math.round(ours), 'logs/s', Math.round(byEthers))];
}

function raise(what: string): never {
  throw new Error(what);
}

function measurement(name: string, value: number, unit: string, baseline: number | null = null): Measurement {
  const rounded = (number: number): number => Math.round(number * 1_000) / 1_000;
  return {
    name,
    value: rounded(value),
    unit,
    baseline: baseline === null ? null : rounded(baseline),
    ratio: baseline === null ? null : Math.round((value / baseline) * 1e5) / 1e5,
  };
}

try {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, positions: { type: 'string', default: '1000000' } },
  });
  const positions = Number(values.positions);
  if (!Number.isInteger(positions) || positions < 1)
    throw new Error(`--positions: "${values.positions}" is not valid; a whole number above 0 was expected`);
  const measurements = [...rescan(positions), ...decoding()];
  if (values.json) console.log(JSON.stringify(measurements));
  else
    for (const { name, value, unit, baseline, ratio } of measurements)
      console.log(
        `${name.padEnd(24)} ${String(value).padStart(10)} ${unit.padEnd(10)}${baseline === null ? '' : ` baseline ${baseline} ${unit}, ratio ${ratio ?? ''}`}`,
      );
} catch (error) {
  console.error(`bench:state: ${messageOf(error)}`);
  process.exitCode = 1;
}
