import type { Address } from '../../domain/hex.js';
import { binomialInterest, compoundedInterest, linearInterest, rayMul } from './math.js';
import type { LiquidationRules } from './rules/rules.js';

/** The indexes of a reserve at its last update (IPool.ReserveDataUpdated). Indexes and rates in ray. */
export interface ReserveIndexes {
  readonly liquidityIndex: bigint;
  readonly liquidityRate: bigint;
  readonly variableBorrowIndex: bigint;
  readonly variableBorrowRate: bigint;
  /** Seconds since the epoch. */
  readonly updatedAt: number;
  /** Where the pool compounds the interest of debts as 3.3 and earlier do. */
  readonly binomial?: true;
}

export interface Reserve {
  readonly id: number;
  readonly asset: Address;
  readonly symbol: string;
  readonly decimals: number;
  readonly aToken: Address;
  readonly variableDebtToken: Address;
  readonly liquidationThresholdBps: bigint;
  /** 10_500 is a bonus of 5 %. */
  readonly liquidationBonusBps: bigint;
  /** The protocol's share of the bonus. */
  readonly liquidationProtocolFeeBps: bigint;
  readonly active: boolean;
  readonly paused: boolean;
  /** Seconds since the epoch; liquidations need a later block. */
  readonly gracePeriodUntil: number;
  /**
   * Where nothing but the token balance of the aToken bounds what can be paid out: before 3.1, and for
   * reserves without a virtual balance until 3.3.
   */
  readonly paysFromBalance?: true;
  readonly indexes: ReserveIndexes;
}

export interface EMode {
  readonly id: number;
  readonly liquidationThresholdBps: bigint;
  readonly liquidationBonusBps: bigint;
  /** Bit i: reserve i counts as collateral of this category. */
  readonly collateralBitmap: bigint;
  /** Before 3.2: its collaterals and debts have the price of this address instead of their own. */
  readonly priceSource?: Address;
}

/**
 * Everything of one Aave v3 pool that decides a liquidation, as of one block. Immutable: a change makes a new
 * object.
 */
export interface AaveMarket {
  readonly name: string;
  readonly addressesProvider: Address;
  readonly pool: Address;
  readonly poolConfigurator: Address;
  readonly oracle: Address;
  /** The PriceOracleSentinel, where one is set. */
  readonly sentinel: Address | undefined;
  readonly rules: LiquidationRules;
  readonly reserves: ReadonlyMap<number, Reserve>;
  readonly eModes: ReadonlyMap<number, EMode>;
  /** Before 3.2. Nobody owes at a stable rate, or the market would be refused. */
  readonly stableDebtTokens?: readonly Address[];
}

/** What prices and sentinel say about a market at one block. */
export interface MarketConditions {
  /** Seconds since the epoch: interest is computed up to here. */
  readonly timestamp: number;
  /** USD8 by reserve asset, from the market's own oracle. An asset without a price is absent. */
  readonly prices: ReadonlyMap<Address, bigint>;
  /** Whether the sentinel allows liquidations; true where there is no sentinel. */
  readonly sentinelAllows: boolean;
}

/** One reserve of an account. Scaled amounts as the tokens store them. */
export interface Leg {
  readonly reserveId: number;
  /** Scaled aToken balance, whether it is collateral or not. */
  readonly scaledSupply: bigint;
  /** The account's collateral flag for this reserve (UserConfigurationMap). */
  readonly usedAsCollateral: boolean;
  readonly scaledDebt: bigint;
}

export interface AaveAccount {
  readonly address: Address;
  /** 0: none. */
  readonly eMode: number;
  /** By ascending reserve id. A reserve in which the account has nothing is left out. */
  readonly legs: readonly Leg[];
}

export function hasDebt({ legs }: AaveAccount): boolean {
  return legs.some(({ scaledDebt }) => scaledDebt > 0n);
}

type IndexAt = (indexes: ReserveIndexes, timestamp: number) => bigint;

/** All accounts of a block need the same few indexes, so the last result for each reserve is kept. */
function keepLast(compute: IndexAt): IndexAt {
  const last = new WeakMap<ReserveIndexes, { readonly timestamp: number; readonly index: bigint }>();
  return (indexes, timestamp) => {
    const known = last.get(indexes);
    if (known?.timestamp === timestamp) return known.index;
    const index = compute(indexes, timestamp);
    last.set(indexes, { timestamp, index });
    return index;
  };
}

/** ReserveLogic.getNormalizedIncome: the liquidity index at `timestamp`, ray. */
export const liquidityIndexAt = keepLast((indexes, timestamp) => {
  if (timestamp === indexes.updatedAt) return indexes.liquidityIndex;
  return rayMul(
    linearInterest(indexes.liquidityRate, BigInt(timestamp - indexes.updatedAt)),
    indexes.liquidityIndex,
  );
});

/** ReserveLogic.getNormalizedDebt: the variable borrow index at `timestamp`, ray. */
export const borrowIndexAt = keepLast((indexes, timestamp) => {
  if (timestamp === indexes.updatedAt) return indexes.variableBorrowIndex;
  const interest = indexes.binomial ? binomialInterest : compoundedInterest;
  return rayMul(
    interest(indexes.variableBorrowRate, BigInt(timestamp - indexes.updatedAt)),
    indexes.variableBorrowIndex,
  );
});

/**
 * The e-mode category under which `reserve` counts for `account`, if any
 * (EModeConfiguration.isReserveEnabledOnBitmap).
 */
export function eModeOf(market: AaveMarket, account: AaveAccount, reserve: Reserve): EMode | undefined {
  if (account.eMode === 0) return undefined;
  const category = market.eModes.get(account.eMode);
  return category && (category.collateralBitmap >> BigInt(reserve.id)) & 1n ? category : undefined;
}

/**
 * USD8; undefined where the oracle has none. In an e-mode with a price source of its own, that price counts
 * for the reserves of the category (GenericLogic.calculateUserAccountData before 3.2).
 *
 * @param category the one under which the reserve counts.
 */
export function priceOf(
  { asset }: Pick<Reserve, 'asset'>,
  category: EMode | undefined,
  prices: MarketConditions['prices'],
): bigint | undefined {
  return prices.get(category?.priceSource ?? asset);
}

/** Everything that the market's oracle is asked for: the assets, and the price sources of e-modes. */
export function pricedAddresses({ reserves, eModes }: Pick<AaveMarket, 'reserves' | 'eModes'>): Address[] {
  const sources = [...eModes.values()].flatMap(({ priceSource }) => priceSource ?? []);
  return [...new Set([...[...reserves.values()].map(({ asset }) => asset), ...sources])];
}
