/** A Comptroller and its borrowers out of a seed, as plain values: none of them is on a chain. */
import { SeededRandom } from '../../devnet/random.js';
import type { Address } from '../../src/domain/hex.js';
import { unitOf, WAD } from '../../src/domain/money.js';
import { opens } from '../../src/protocols/compound-v2/at-risk.js';
import { positionOf } from '../../src/protocols/compound-v2/health.js';
import {
  exchangeRate,
  totalsAt,
  type CompoundAccount,
  type CompoundMarket,
  type Leg,
  type MarketConditions,
  type MarketState,
  type MToken,
} from '../../src/protocols/compound-v2/market.js';
import { mulExp } from '../../src/protocols/compound-v2/math.js';
import { addressOf, healthFactorOf, numbered } from './world.js';

export interface CompoundSetting {
  readonly market: CompoundMarket;
  readonly conditions: MarketConditions;
}

const MTOKENS = 12;
const MTOKEN_DECIMALS = 8;
const NOW = 1_800_000_000n;
/** So far from the addresses of the other families. */
const FIRST_ACCOUNT = 20_000_000;

export function compoundSetting(): CompoundSetting {
  const random = new SeededRandom(31);
  const mTokens = Array.from({ length: MTOKENS }, (_, id): MToken => ({
    id,
    address: numbered(11_000 + id),
    asset: numbered(12_000 + id),
    symbol: `M${id}`,
    decimals: [6, 8, 18][id % 3] ?? 18,
    isNative: false,
    rateModel: numbered(13_000),
    listed: true,
    collateralFactorWad: (BigInt(70 + id) * WAD) / 100n,
    reserveFactorWad: WAD / 10n,
    seizeShareWad: (28n * WAD) / 1_000n,
    deprecated: false,
  }));
  const states = new Map(mTokens.map((mToken) => [mToken.id, stateOf(mToken)]));
  const prices = new Map(
    mTokens.map(({ id, decimals }) => {
      const dollars = decimals === 6 ? 1 : decimals === 8 ? 90_000 : random.magnitude(0.5, 5_000);
      const usd8 = BigInt(Math.round(dollars * random.between(0.99, 1.01) * 1e8));
      return [id, usd8 * 10n ** BigInt(28 - decimals)];
    }),
  );
  return {
    market: {
      name: 'synthetic',
      comptroller: numbered(10_001),
      oracle: numbered(10_002),
      clock: 'timestamp',
      closeFactorWad: WAD / 2n,
      incentiveWad: (110n * WAD) / 100n,
      seizePaused: false,
      mTokens: new Map(mTokens.map((mToken) => [mToken.id, mToken])),
    },
    conditions: { at: NOW, states, prices },
  };
}

/** 10 million of the asset, of which four in ten are lent out; 50 mTokens for one of the asset at first. */
function stateOf({ id, decimals }: MToken): MarketState {
  const all = 10_000_000n * unitOf(decimals);
  return {
    totals: {
      cash: (all * 6n) / 10n,
      totalBorrows: (all * 4n) / 10n + (all * BigInt(id)) / 300n,
      totalReserves: all / 1_000n,
      totalSupply: (all * 50n * 10n ** BigInt(MTOKEN_DECIMALS)) / unitOf(decimals),
      borrowIndex: WAD + (WAD * BigInt(id + 1)) / 61n,
    },
    accruedAt: NOW - 40n,
    borrowRateWad: 1_000_000_000n + BigInt(id) * 100_000_000n,
  };
}

/** The bot's exact arithmetic; without a price no position counts as safe. */
export function isOpenAt(
  market: CompoundMarket,
  account: CompoundAccount,
  conditions: MarketConditions,
): boolean {
  const data = positionOf(market, account, conditions);
  return 'priceMissing' in data || opens(data);
}

/** Borrowers with 3.3 markets on average, most of them near the limit: as the accounts of Aave are. */
export function* compoundAccountsOf(
  setting: CompoundSetting,
  howMany: number,
  random = new SeededRandom(37),
): Generator<CompoundAccount> {
  const offers = offersOf(setting);
  for (let number = 1; number <= howMany; number++)
    yield accountOf(addressOf(FIRST_ACCOUNT + number), offers, random);
}

/** What an account may have in one market. */
interface Offer {
  readonly id: number;
  readonly collateralFactor: number;
  readonly borrowIndex: bigint;
  /** MTokens of this worth in dollars. */
  readonly tokens: (dollars: number) => bigint;
  /** Units of the asset of this worth in dollars. */
  readonly units: (dollars: number) => bigint;
}

function offersOf({ market, conditions: { at, states, prices } }: CompoundSetting): Offer[] {
  return [...market.mTokens.values()].flatMap((mToken) => {
    const [state, price] = [states.get(mToken.id), prices.get(mToken.id)];
    if (!state || price === undefined) return [];
    const totals = totalsAt(state, mToken, at);
    const perToken = mulExp(exchangeRate(totals), price);
    const usdWad = (dollars: number): bigint => BigInt(Math.round(dollars * 1e8)) * 10n ** 10n;
    return {
      id: mToken.id,
      collateralFactor: Number(mToken.collateralFactorWad) / 1e18,
      borrowIndex: totals.borrowIndex,
      tokens: (dollars) => (usdWad(dollars) * WAD) / perToken,
      units: (dollars) => (usdWad(dollars) * WAD) / price,
    };
  });
}

function accountOf(address: Address, offers: readonly Offer[], random: SeededRandom): CompoundAccount {
  const picked = random.some(offers, 2 + random.integer(0, 2) + (random.chance(0.3) ? 1 : 0));
  const debts = Math.ceil((picked.length - 1) / 2);
  const firstDebt = random.integer(0, picked.length - 1);
  const isDebt = (index: number): boolean => (index - firstDebt + picked.length) % picked.length < debts;
  const suppliedUsd = random.magnitude(50, 5_000_000) / (picked.length - debts);
  const weightedUsd = picked.reduce(
    (sum, { collateralFactor }, index) => sum + (isDebt(index) ? 0 : suppliedUsd * collateralFactor),
    0,
  );
  const owedUsd = weightedUsd / healthFactorOf(random) / debts;
  const legs = picked.map(({ id: mTokenId, tokens, units, borrowIndex }, index): Leg => {
    const nothing = { mTokenId, entered: true, tokens: 0n, principal: 0n, interestIndex: 0n };
    if (!isDebt(index)) return { ...nothing, tokens: tokens(suppliedUsd) };
    const interestIndex = borrowIndex - borrowIndex / BigInt(random.integer(100, 1_000_000));
    return { ...nothing, principal: (units(owedUsd) * interestIndex) / borrowIndex, interestIndex };
  });
  return { address, legs };
}
