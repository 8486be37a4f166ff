/** A Morpho Blue with hundreds of markets and their borrowers out of a seed: none of them is on a chain. */
import { SeededRandom } from '../../devnet/random.js';
import type { Address, Hash } from '../../src/domain/hex.js';
import { mulDivFloor, unitOf, WAD } from '../../src/domain/money.js';
import type { FollowedMarket, MorphoBlueSettings } from '../../src/protocols/morpho-blue/followed-market.js';
import { healthOf, isLiquidatable } from '../../src/protocols/morpho-blue/health.js';
import {
  marketIdOf,
  type BlueAccount,
  type BlueLeg,
  type BluePosition,
} from '../../src/protocols/morpho-blue/market.js';
import type { OracleShape } from '../../src/protocols/morpho-blue/oracle-shape.js';
import { MarketAtTime } from '../../src/protocols/morpho-blue/valued-market.js';
import { addressOf, healthFactorOf, numbered } from './world.js';

/** A token with the feed of its price. */
interface PricedToken {
  readonly address: Address;
  readonly symbol: string;
  readonly decimals: number;
  readonly feed: Address;
  /** In front of the feed's rounds. */
  readonly aggregator: Address;
}

export interface BlueWorld {
  readonly settings: MorphoBlueSettings;
  readonly markets: readonly FollowedMarket[];
  readonly tokens: readonly PricedToken[];
  /** By token. */
  readonly usd8: ReadonlyMap<Address, bigint>;
  /** Seconds since the epoch. */
  readonly timestamp: number;
}

const NOW = 1_800_000_000;
const LOAN_TOKENS = 8;
const COLLATERAL_TOKENS = 60;
const LLTVS_WAD = [625n, 770n, 860n, 915n, 945n].map((perMille) => (perMille * WAD) / 1_000n);
/** Virtual shares: so many are there for a unit at first. */
const SHARES_OF_A_UNIT = 10n ** 6n;
const FIRST_ACCOUNT = 40_000_000;

/** The price of every second market follows from feeds; the oracles of the others are asked. */
export function blueWorld(howMany: number): BlueWorld {
  const random = new SeededRandom(41);
  const loans = Array.from({ length: LOAN_TOKENS }, (_, number) => tokenOf(number, [6, 18][number % 2] ?? 6));
  const collaterals = Array.from({ length: COLLATERAL_TOKENS }, (_, number) =>
    tokenOf(LOAN_TOKENS + number, [18, 8, 18, 6][number % 4] ?? 18),
  );
  const tokens = [...loans, ...collaterals];
  const usd8 = new Map(
    tokens.map(({ address, decimals }) => {
      const dollars = decimals === 6 ? 1 : decimals === 8 ? 90_000 : random.magnitude(0.5, 5_000);
      return [address, BigInt(Math.round(dollars * random.between(0.99, 1.01) * 1e8))];
    }),
  );
  const morpho = numbered(30_001);
  const adaptiveCurveIrm = numbered(30_002);
  const markets = Array.from({ length: howMany }, (_, number): FollowedMarket => {
    const loan = loans[number % LOAN_TOKENS];
    const collateral = collaterals[number % COLLATERAL_TOKENS];
    const lltvWad = LLTVS_WAD[number % LLTVS_WAD.length];
    if (!loan || !collateral || lltvWad === undefined) throw new Error('there are too few tokens');
    const params = {
      ...{ loanToken: loan.address, collateralToken: collateral.address, lltvWad },
      ...{ oracle: numbered(31_000 + number), irm: adaptiveCurveIrm },
    };
    const dollars = random.magnitude(1_000_000, 1_000_000_000);
    const supplyAssets =
      (BigInt(Math.round(dollars * 1e8)) * unitOf(loan.decimals)) / (usd8.get(loan.address) ?? 1n);
    const borrowAssets = (supplyAssets * BigInt(random.integer(300, 990))) / 1_000n;
    return {
      ...{ id: marketIdOf(params), params, collateral, loan },
      oracle: number % 2 === 0 ? shapeOf(collateral, loan) : { kind: 'other' },
      totals: {
        ...{ supplyAssets, supplyShares: (supplyAssets * SHARES_OF_A_UNIT * 97n) / 100n },
        ...{ borrowAssets, borrowShares: (borrowAssets * SHARES_OF_A_UNIT * 93n) / 100n },
        ...{ lastUpdate: NOW - random.integer(1, 3_600), feeWad: number % 10 === 0 ? WAD / 10n : 0n },
      },
      rate: { kind: 'adaptive-curve', rateAtTargetWad: BigInt(random.integer(3, 40)) * 10n ** 8n },
    };
  });
  return {
    settings: {
      ...{ name: 'synthetic', morpho, adaptiveCurveIrm, markets: [], denyMarkets: [], loanTokens: [] },
      ...{ feeds: loans.map(({ address, feed }) => ({ token: address, feed })) },
      ...{ minMarketUsd8: 0n, oracles: 'any' },
    },
    ...{ markets, tokens, usd8, timestamp: NOW },
  };
}

function tokenOf(number: number, decimals: number): PricedToken {
  return {
    address: numbered(32_000 + number),
    symbol: `B${number}`,
    decimals,
    feed: numbered(33_000 + number),
    aggregator: numbered(34_000 + number),
  };
}

function shapeOf(collateral: PricedToken, loan: PricedToken): OracleShape {
  return {
    kind: 'feeds',
    scaleFactor: scaleOf(collateral, loan),
    baseFeeds: [collateral.feed],
    quoteFeeds: [loan.feed],
  };
}

const scaleOf = (collateral: { decimals: number }, loan: { decimals: number }): bigint =>
  10n ** BigInt(36 + loan.decimals - collateral.decimals);

/** IOracle.price(): loan token units for 1e36 collateral token units. */
export function oraclePriceOf(
  { collateral, loan }: FollowedMarket,
  usd8: ReadonlyMap<Address, bigint>,
): bigint {
  const [base, quote] = [usd8.get(collateral.address) ?? 0n, usd8.get(loan.address) ?? 1n];
  return mulDivFloor(scaleOf(collateral, loan), base, quote);
}

/** What each market is worth at a time, with its interest up to then. */
export function worthsOf(
  markets: Iterable<FollowedMarket>,
  usd8: ReadonlyMap<Address, bigint>,
  timestamp: number,
): Map<Hash, MarketAtTime> {
  const worths = new Map<Hash, MarketAtTime>();
  for (const market of markets)
    worths.set(market.id, new MarketAtTime(market, timestamp, oraclePriceOf(market, usd8)));
  return worths;
}

/** The bot's exact arithmetic. */
export function isUnhealthy(position: BluePosition, { totals, price, lltvWad }: MarketAtTime): boolean {
  return isLiquidatable(healthOf(totals, position, price, lltvWad));
}

/**
 * Borrowers in one market each, and every seventh in two. A few markets have most of them. Most positions are
 * near the limit, as those of Aave are.
 *
 * @param positions one for each market of a borrower.
 */
export function* blueAccountsOf(
  { markets, usd8, timestamp }: BlueWorld,
  positions: number,
  random = new SeededRandom(43),
): Generator<BlueAccount> {
  const worths = worthsOf(markets, usd8, timestamp);
  const any = (): FollowedMarket | undefined => markets[Math.floor(random.next() ** 2 * markets.length)];
  for (let [number, made] = [1, 0]; made < positions; number++) {
    const wanted = random.chance(1 / 7) && made + 1 < positions ? [any(), any()] : [any()];
    const chosen = [...new Set(wanted)].filter((market) => market !== undefined);
    const legs = chosen.map((market) => legOf(market, usd8, worths, random));
    made += legs.length;
    const address = addressOf(FIRST_ACCOUNT + number);
    yield { address, legs: legs.sort((a, b) => (a.marketId < b.marketId ? -1 : 1)) };
  }
}

function legOf(
  { id, collateral }: FollowedMarket,
  usd8: ReadonlyMap<Address, bigint>,
  worths: ReadonlyMap<Hash, MarketAtTime>,
  random: SeededRandom,
): BlueLeg {
  const worth = worths.get(id);
  if (!worth) throw new Error(`there is no market ${id}`);
  const { totals, price, lltvWad } = worth;
  const suppliedUsd8 = BigInt(Math.round(random.magnitude(50, 5_000_000) * 1e8));
  const supplied = (suppliedUsd8 * unitOf(collateral.decimals)) / (usd8.get(collateral.address) ?? 1n);
  const mostOwed = (((supplied * price) / 10n ** 36n) * lltvWad) / WAD;
  const owed = (mostOwed * 10n ** 12n) / BigInt(Math.round(healthFactorOf(random) * 1e12));
  return {
    marketId: id,
    collateral: supplied,
    borrowShares: (owed * totals.borrowShares) / totals.borrowAssets,
  };
}
