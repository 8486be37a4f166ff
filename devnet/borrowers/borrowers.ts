/**
 * Borrowers for the local market: a cast for the demo and random ones for differential tests. Pure data, no
 * chain.
 */
import { dataSlice, getAddress, id } from 'ethers';
import {
  EMODE,
  type Prices,
  TOKENS,
  TOKEN_SYMBOLS,
  type TokenSymbol,
  amountWorth,
  initialPrices,
  worthOf,
} from '../parameters.js';
import type { CollateralAmount, PositionRequest, TokenAmount } from './aave-positions.js';
import { SeededRandom } from '../random.js';

/**
 * - whale: more than $100,000
 * - mid: more than $2,000 on both sides, so that half of the debt may be repaid while HF > 0.95
 * - small: less than $2,000, so that all of the debt may be repaid
 * - dust: the bonus does not pay for the gas
 * - safe: healthy through the whole scenario
 */
export type BorrowerKind = 'whale' | 'mid' | 'small' | 'dust' | 'safe' | 'random';

/** A position to open, with the account that will hold it. */
export interface Borrower extends PositionRequest {
  name: string;
  kind: BorrowerKind;
  account: string;
}

type Share = readonly [symbol: TokenSymbol, share: number];

interface Strategy {
  name: string;
  collaterals: readonly Share[];
  debts: readonly Share[];
  eMode?: number;
}

/** Typical positions: which collaterals back which debts, in shares of the worth. */
const STRATEGIES = {
  longEther: { name: 'long ether', collaterals: [['WETH', 1]], debts: [['USDC', 1]] },
  longStaked: { name: 'long staked ether', collaterals: [['cbETH', 1]], debts: [['USDC', 1]] },
  longBitcoin: { name: 'long bitcoin', collaterals: [['cbBTC', 1]], debts: [['USDC', 1]] },
  shortEther: { name: 'short ether', collaterals: [['USDC', 1]], debts: [['WETH', 1]] },
  bitcoinForEther: { name: 'bitcoin for ether', collaterals: [['cbBTC', 1]], debts: [['WETH', 1]] },
  majors: {
    name: 'both majors',
    collaterals: [
      ['WETH', 0.6],
      ['cbBTC', 0.4],
    ],
    debts: [['USDC', 1]],
  },
  etherForBoth: {
    name: 'ether for two debts',
    collaterals: [['WETH', 1]],
    debts: [
      ['USDC', 0.7],
      ['cbBTC', 0.3],
    ],
  },
  everything: {
    name: 'three collaterals',
    collaterals: [
      ['WETH', 0.45],
      ['cbETH', 0.35],
      ['cbBTC', 0.2],
    ],
    debts: [['USDC', 1]],
  },
  stakingLoop: { name: 'staking loop', collaterals: [['cbETH', 1]], debts: [['WETH', 1]], eMode: EMODE.id },
} as const satisfies Record<string, Strategy>;

interface Role {
  kind: BorrowerKind;
  strategy: Strategy;
}

const role = (kind: BorrowerKind, strategy: keyof typeof STRATEGIES): Role => ({
  kind,
  strategy: STRATEGIES[strategy],
});

/** The cast, repeated as often as needed; every kind meets several strategies. */
const CAST: readonly Role[] = [
  role('whale', 'longEther'),
  role('mid', 'longEther'),
  role('mid', 'longBitcoin'),
  role('small', 'longEther'),
  role('safe', 'longEther'),
  role('mid', 'stakingLoop'),
  role('mid', 'shortEther'),
  role('small', 'longStaked'),
  role('dust', 'longEther'),
  role('mid', 'majors'),
  role('whale', 'majors'),
  role('mid', 'longStaked'),
  role('small', 'longBitcoin'),
  role('safe', 'longBitcoin'),
  role('mid', 'etherForBoth'),
  role('whale', 'stakingLoop'),
  role('small', 'majors'),
  role('mid', 'longEther'),
  role('dust', 'longBitcoin'),
  role('mid', 'everything'),
  role('safe', 'shortEther'),
  role('small', 'shortEther'),
  role('whale', 'longBitcoin'),
  role('mid', 'bitcoinForEther'),
  role('mid', 'longEther'),
];

/** Worth of the debt by kind, whole dollars. */
const DEBT_RANGE: Record<Exclude<BorrowerKind, 'random'>, readonly [number, number]> = {
  whale: [110_000, 600_000],
  mid: [6_000, 60_000],
  small: [300, 1_700],
  dust: [20, 60],
  safe: [1_000, 150_000],
};

/** Initial health factors, per mille: the scenario makes them fall below 1 one after the other. */
const HEALTH_GRADES = [1030, 1040, 1060, 1080, 1100, 1120, 1150, 1180, 1210, 1250, 1300, 1400, 1600];
/** In eMode only the ratio of two ether prices counts, so the grades lie closer. */
const EMODE_HEALTH_GRADES = [1024, 1028, 1033, 1045, 1080];
const SHORT_HEALTH_GRADES = [1030, 1040, 1048, 1090, 1200];
const SAFE_HEALTH = [1900, 2300, 3000];

const WAD = 10n ** 18n;
const BPS = 10_000n;

/**
 * The cast of the demo: deterministic, openable at the initial prices, graded so that the steps of
 * DEMO_SCENARIO make them liquidatable in waves, on both sides of HF 0.95.
 */
export function demoBorrowers(count = 50): Borrower[] {
  const random = new SeededRandom(2026);
  const turns = new Map<readonly number[], number>();
  return Array.from({ length: count }, (_, i): Borrower => {
    const { kind, strategy } = CAST[i % CAST.length] ?? role('mid', 'longEther');
    const grades = gradesOf(kind, strategy);
    const turn = turns.get(grades) ?? 0;
    turns.set(grades, turn + 1);
    // Stepping by 5 spreads neighbours of the cast over the grades; 5 divides none of the lists' lengths but
    // its own.
    const grade = grades[(turn * (grades.length === 5 ? 2 : 5)) % grades.length] ?? 1500;
    const [least, most] = DEBT_RANGE[kind === 'random' ? 'mid' : kind];
    const debtUsd8 = dollars(random.magnitude(least, most));
    return {
      name: `${kind} ${i + 1}, ${strategy.name}`,
      kind,
      account: account(`demo ${i + 1}`),
      ...position(strategy, debtUsd8, BigInt(grade), initialPrices()),
    };
  });
}

function gradesOf(kind: BorrowerKind, strategy: Strategy): readonly number[] {
  if (kind === 'safe') return SAFE_HEALTH;
  if (strategy.eMode) return EMODE_HEALTH_GRADES;
  return strategy.debts.some(([symbol]) => symbol === 'WETH') ? SHORT_HEALTH_GRADES : HEALTH_GRADES;
}

/** Amounts that give the wanted debt and health factor (per mille) at these prices. */
function position(
  strategy: Strategy,
  debtUsd8: bigint,
  healthPerMille: bigint,
  prices: Prices,
): Pick<PositionRequest, 'collaterals' | 'debts' | 'eMode'> {
  // With shares s_i of the collateral C: HF = sum(C s_i LT_i) / D, so C = D HF / sum(s_i LT_i).
  const perMille = (share: number): bigint => BigInt(Math.round(share * 1000));
  const averageThreshold = strategy.collaterals.reduce(
    (sum, [symbol, share]) => sum + perMille(share) * riskOf(symbol, strategy.eMode).thresholdBps,
    0n,
  );
  const collateralUsd8 = (debtUsd8 * healthPerMille * BPS) / averageThreshold;
  const amounts = (shares: readonly Share[], totalUsd8: bigint): TokenAmount[] =>
    shares.map(([symbol, share]) => ({
      symbol,
      amount: amountWorth(symbol, (totalUsd8 * perMille(share)) / 1000n, prices[symbol]),
    }));
  return {
    collaterals: amounts(strategy.collaterals, collateralUsd8),
    debts: amounts(strategy.debts, debtUsd8),
    eMode: strategy.eMode ?? 0,
  };
}

/**
 * Random positions that Aave accepts at the given prices: 1-4 collaterals (some dust, some switched off), 1-3
 * debts, some in eMode, health factors from just above the limit to very safe.
 * @param prices USD with 8 decimals; the initial ones when absent
 */
export function randomBorrowers(seed: number, count: number, prices: Prices = initialPrices()): Borrower[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, (_, i): Borrower => ({
    name: `random ${seed}/${i + 1}`,
    kind: 'random',
    account: account(`random ${seed}/${i + 1}`),
    ...randomPosition(random, prices),
  }));
}

function randomPosition(random: SeededRandom, prices: Prices): PositionRequest {
  const eMode = random.chance(0.25) ? EMODE.id : 0;
  const collaterals = random.some(TOKEN_SYMBOLS, random.integer(1, 4)).map((symbol, i): CollateralAmount => {
    // The first one carries the position; the others may be dust, or switched off. One unit would round to no
    // share.
    const isDust = i > 0 && random.chance(0.2);
    const amount = isDust
      ? BigInt(random.integer(2, 1_000))
      : amountWorth(symbol, dollars(random.magnitude(2, 400_000)), prices[symbol]);
    return { symbol, amount, useAsCollateral: i === 0 || !random.chance(0.1) };
  });
  const limitUsd8 = borrowLimitUsd8(collaterals, eMode, prices);
  const use = random.chance(0.6) ? random.between(0.9, 0.99) : random.between(0.01, 0.9);
  const budgetUsd8 = (limitUsd8 * BigInt(Math.floor(use * 1_000))) / 1_000n;
  const borrowable = eMode ? EMODE.borrowables : TOKEN_SYMBOLS;
  const symbols = random.some(borrowable, random.integer(1, Math.min(3, borrowable.length)));
  const debts = symbols.map((symbol, i): TokenAmount => {
    const isDust = i > 0 && random.chance(0.15);
    const worth = isDust ? 0n : budgetUsd8 / BigInt(symbols.length);
    const amount = amountWorth(symbol, worth, prices[symbol]);
    return { symbol, amount: amount > 0n ? amount : 1n };
  });
  return { collaterals, debts, eMode };
}

function borrowLimitUsd8(collaterals: readonly CollateralAmount[], eMode: number, prices: Prices): bigint {
  return collaterals
    .filter(({ useAsCollateral }) => useAsCollateral !== false)
    .reduce(
      (sum, { symbol, amount }) =>
        sum + (worthOf(symbol, amount, prices[symbol]) * riskOf(symbol, eMode).ltvBps) / BPS,
      0n,
    );
}

/** An eMode category's numbers hold for its own collaterals only. */
function riskOf(symbol: TokenSymbol, eMode = 0): { ltvBps: bigint; thresholdBps: bigint } {
  const { ltvBps, liquidationThresholdBps } =
    eMode === EMODE.id && EMODE.collaterals.includes(symbol) ? EMODE : TOKENS[symbol];
  return { ltvBps, thresholdBps: liquidationThresholdBps };
}

/**
 * The health factor that a freshly opened position would have at other prices, by Aave's formula
 * (GenericLogic 3.5 and later, without interest): for planning scenarios and for tests.
 * @returns wad; 2^256-1 without debt
 */
export function healthFactorWad(request: PositionRequest, prices: Prices): bigint {
  const weighted = request.collaterals
    .filter(({ useAsCollateral }) => useAsCollateral !== false)
    .reduce(
      (sum, { symbol, amount }) =>
        sum + worthOf(symbol, amount, prices[symbol]) * riskOf(symbol, request.eMode).thresholdBps,
      0n,
    );
  const debt = request.debts.reduce(
    (sum, { symbol, amount }) => sum + ceilWorthOf(symbol, amount, prices[symbol]),
    0n,
  );
  return debt === 0n ? 2n ** 256n - 1n : (weighted * WAD + debt / 2n) / debt / BPS;
}

function ceilWorthOf(symbol: TokenSymbol, amount: bigint, priceUsd8: bigint): bigint {
  const unit = 10n ** BigInt(TOKENS[symbol].decimals);
  return (amount * priceUsd8 + unit - 1n) / unit;
}

/** Whole dollars and cents to USD with 8 decimals. */
function dollars(value: number): bigint {
  return BigInt(Math.round(value * 100)) * 10n ** 6n;
}

/** An address without a known key, the same on every run. */
function account(name: string): string {
  return getAddress(dataSlice(id(`chimera devnet ${name}`), 12));
}
