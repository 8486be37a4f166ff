/**
 * A market and its borrowers out of a seed: the same at each run, as many as wanted, none of them on a chain.
 */
import { addressFromWord, uintWord, type Address } from '../../src/domain/hex.js';
import { RAY, unitOf } from '../../src/domain/money.js';
import { accountData, isLiquidatable } from '../../src/protocols/aave-v3/health.js';
import {
  borrowIndexAt,
  liquidityIndexAt,
  type AaveAccount,
  type AaveMarket,
  type Leg,
  type MarketConditions,
  type Reserve,
} from '../../src/protocols/aave-v3/market.js';
import { rulesOf } from '../../src/protocols/aave-v3/versions.js';
import { SeededRandom } from '../../devnet/random.js';

export interface World {
  readonly market: AaveMarket;
  readonly conditions: MarketConditions;
}

const AAVE_3_6 = 10;
const RESERVES = 12;
const NOW = 1_800_000_000;
const EMODE = 1;

/**
 * Share of the positions with a health factor below 1; of those that differ from 1 by a thousandth or less;
 * of those below 1.1.
 */
const BELOW_ONE = 0.0005;
const AT_ONE = 0.001;
const NEAR_ONE = 0.05;
const IN_EMODE = 0.1;
/** Has a supply as well that is not used as collateral. */
const HAS_IDLE = 0.05;
/** Holds the market's last asset. */
const HAS_LAST = 0.1;

/** As log topics hold it, cut out in the same way: it takes the memory that it takes in the bot. */
export const numbered = (number: number): Address => addressFromWord(`0x${uintWord(number)}`);

export function syntheticWorld(): World {
  const rules = rulesOf(AAVE_3_6);
  if (!rules) throw new Error('the rules of Aave v3.6 are not known');
  const random = new SeededRandom(3);
  const reserves = Array.from({ length: RESERVES }, (_, id): Reserve => ({
    id,
    asset: numbered(1_000 + id),
    symbol: `R${id}`,
    decimals: [6, 8, 18][id % 3] ?? 18,
    aToken: numbered(2_000 + id),
    variableDebtToken: numbered(3_000 + id),
    liquidationThresholdBps: 7_500n + BigInt(id * 100),
    liquidationBonusBps: 10_500n,
    liquidationProtocolFeeBps: 1_000n,
    active: true,
    paused: false,
    gracePeriodUntil: 0,
    indexes: {
      liquidityIndex: RAY + (RAY * BigInt(id + 1)) / 97n,
      liquidityRate: RAY / 50n,
      variableBorrowIndex: RAY + (RAY * BigInt(id + 1)) / 61n,
      variableBorrowRate: RAY / 20n,
      updatedAt: NOW - 40,
    },
  }));
  // Dollars with 6 decimals, bitcoins with 8, and tokens of any price with 18.
  const prices = new Map(
    reserves.map(({ asset, decimals }) => {
      const dollars = decimals === 6 ? 1 : decimals === 8 ? 90_000 : random.magnitude(0.5, 5_000);
      return [asset, BigInt(Math.round(dollars * random.between(0.99, 1.01) * 1e8))];
    }),
  );
  return {
    market: {
      name: 'synthetic',
      addressesProvider: numbered(1),
      pool: numbered(2),
      poolConfigurator: numbered(3),
      oracle: numbered(4),
      sentinel: undefined,
      rules,
      reserves: new Map(reserves.map((reserve) => [reserve.id, reserve])),
      eModes: new Map([
        [
          EMODE,
          {
            id: EMODE,
            liquidationThresholdBps: 9_300n,
            liquidationBonusBps: 10_100n,
            collateralBitmap: 0b100100100100n,
          },
        ],
      ]),
    },
    conditions: { timestamp: NOW, prices, sentinelAllows: true },
  };
}

/** The bot's exact arithmetic; without a price no position counts as safe. */
export function isBelowOne(market: AaveMarket, account: AaveAccount, conditions: MarketConditions): boolean {
  const data = accountData(market, account, conditions);
  return 'priceMissing' in data || isLiquidatable(data.healthFactorWad);
}

/** The address of the account with a number: far from those of the market. */
export const addressOf = (number: number): Address => numbered(2 ** 40 + number * 7_919);

/**
 * Borrowers with 3.3 reserves on average where the market has that many; every tenth holds the last one. Most
 * health factors lie close to 1, because that is where a preselection goes wrong.
 */
export function* accountsOf(
  world: World,
  howMany: number,
  random = new SeededRandom(7),
): Generator<AaveAccount> {
  const offers = offersOf(world);
  for (let number = 1; number <= howMany; number++) yield accountOf(addressOf(number), offers, random);
}

/** What an account may hold of one reserve. */
interface Offer {
  readonly id: number;
  /** Liquidation threshold, by whether the account is in the e-mode. */
  readonly threshold: number;
  readonly eModeThreshold: number;
  /** Scaled amounts of this worth in dollars. */
  readonly supply: (dollars: number) => bigint;
  readonly debt: (dollars: number) => bigint;
}

function offersOf({ market, conditions: { prices, timestamp } }: World): Offer[] {
  const category = market.eModes.get(EMODE);
  return [...market.reserves.values()].map(({ id, asset, decimals, indexes, liquidationThresholdBps }) => {
    const scaledWorth = (index: bigint): ((dollars: number) => bigint) => {
      const numerator = unitOf(decimals) * RAY;
      const denominator = (prices.get(asset) ?? 1n) * index;
      return (dollars) => (BigInt(Math.round(dollars * 1e8)) * numerator) / denominator;
    };
    const inCategory = category && (category.collateralBitmap >> BigInt(id)) & 1n;
    return {
      id,
      threshold: Number(liquidationThresholdBps) / 1e4,
      eModeThreshold:
        Number((inCategory ? category : { liquidationThresholdBps }).liquidationThresholdBps) / 1e4,
      supply: scaledWorth(liquidityIndexAt(indexes, timestamp)),
      debt: scaledWorth(borrowIndexAt(indexes, timestamp)),
    };
  });
}

function accountOf(address: Address, offers: readonly Offer[], random: SeededRandom): AaveAccount {
  const picked = pick(offers, 2 + random.integer(0, 2) + (random.chance(0.3) ? 1 : 0), random);
  const eMode = random.chance(IN_EMODE) ? EMODE : 0;
  const debts = Math.ceil((picked.length - 1) / 2);
  const firstDebt = random.integer(0, picked.length - 1);
  const isDebt = (index: number): boolean => (index - firstDebt + picked.length) % picked.length < debts;
  const suppliedUsd = random.magnitude(50, 5_000_000) / (picked.length - debts);
  const weightedUsd = picked.reduce(
    (sum, { threshold, eModeThreshold }, index) =>
      sum + (isDebt(index) ? 0 : suppliedUsd * (eMode ? eModeThreshold : threshold)),
    0,
  );
  const owedUsd = weightedUsd / healthFactorOf(random) / debts;
  const idleIn = random.chance(HAS_IDLE) ? firstDebt : -1;
  return {
    address,
    eMode,
    legs: picked.map(({ id, supply, debt }, index): Leg => {
      if (!isDebt(index))
        return { reserveId: id, scaledSupply: supply(suppliedUsd), usedAsCollateral: true, scaledDebt: 0n };
      const scaledSupply = index === idleIn ? supply(suppliedUsd) : 0n;
      return { reserveId: id, scaledSupply, usedAsCollateral: false, scaledDebt: debt(owedUsd) };
    }),
  };
}

/** In the order of the reserves. */
function pick(offers: readonly Offer[], howMany: number, random: SeededRandom): Offer[] {
  const last = offers.slice(-1);
  const others = offers.slice(0, -1);
  return random.chance(HAS_LAST)
    ? [...random.some(others, howMany - 1), ...last]
    : random.some(others, howMany);
}

/** Below 1 for few, at 1 for some, near it for many. */
export function healthFactorOf(random: SeededRandom): number {
  const place = random.next();
  if (place < BELOW_ONE) return random.between(0.9, 1);
  if (place < BELOW_ONE + AT_ONE) return 1 + random.magnitude(1e-9, 1e-3) * (random.chance(0.5) ? 1 : -1);
  return place < NEAR_ONE ? random.between(1, 1.1) : random.magnitude(1.1, 20);
}
