import { id } from 'ethers';
import {
  addressAt,
  addressWord,
  amountAt,
  MOST_128_BITS,
  timeAt,
  uintAt,
  uintWithin,
  uintWord,
  type Address,
  type Hex,
} from '../../domain/hex.js';
import type { MulticallCall as Call } from '../../rpc/chain/multicall3.js';
import { each, successOf, together, type Read } from '../../rpc/chain/read.js';
import { symbolOf } from '../token-symbol.js';
import {
  pricedAddresses,
  type AaveAccount,
  type AaveMarket,
  type EMode,
  type Leg,
  type MarketConditions,
  type Reserve,
} from './market.js';
import type { LiquidationRules } from './rules/rules.js';
import type { VersionFunctions } from './versions.js';

/**
 * Calls to Aave v3's contracts. They are encoded and decoded by hand, because they run at every block for
 * thousands of accounts.
 */

/** Aave keeps thresholds and bonuses in uint16, and the ids of e-modes in uint8. */
const MOST_BPS = 65_535n;
const HIGHEST_E_MODE = 255n;
/** ReserveConfiguration.MAX_RESERVES_COUNT. */
const MOST_RESERVES = 128n;

export const ZERO_ADDRESS: Address = '0x0000000000000000000000000000000000000000';

/** Hex digits of an answer of one word, with its 0x. */
const ONE_WORD = 66;

const selector = (signature: string): Hex => id(signature).slice(0, 10) as Hex;

export const SELECTORS = {
  getPool: selector('getPool()'),
  getPoolConfigurator: selector('getPoolConfigurator()'),
  getPriceOracle: selector('getPriceOracle()'),
  getPriceOracleSentinel: selector('getPriceOracleSentinel()'),
  poolRevision: selector('POOL_REVISION()'),
  getReservesList: selector('getReservesList()'),
  getReserveData: selector('getReserveData(address)'),
  getLiquidationGracePeriod: selector('getLiquidationGracePeriod(address)'),
  getEModeCategoryCollateralConfig: selector('getEModeCategoryCollateralConfig(uint8)'),
  getEModeCategoryCollateralBitmap: selector('getEModeCategoryCollateralBitmap(uint8)'),
  getEModeCategoryData: selector('getEModeCategoryData(uint8)'),
  getReserveDeficit: selector('getReserveDeficit(address)'),
  reserveInterestRateStrategy: selector('RESERVE_INTEREST_RATE_STRATEGY()'),
  symbol: selector('symbol()'),
  balanceOf: selector('balanceOf(address)'),
  totalSupply: selector('totalSupply()'),
  /** Of the aTokens of 3.0.0. Later ones have three parameters. */
  handleRepayment: selector('handleRepayment(address,uint256)'),
  baseCurrencyUnit: selector('BASE_CURRENCY_UNIT()'),
  getAssetsPrices: selector('getAssetsPrices(address[])'),
  getAssetPrice: selector('getAssetPrice(address)'),
  getSourceOfAsset: selector('getSourceOfAsset(address)'),
  isLiquidationAllowed: selector('isLiquidationAllowed()'),
  getUserConfiguration: selector('getUserConfiguration(address)'),
  getUserEMode: selector('getUserEMode(address)'),
  getUserAccountData: selector('getUserAccountData(address)'),
  scaledBalanceOf: selector('scaledBalanceOf(address)'),
  scaledTotalSupply: selector('scaledTotalSupply()'),
  getVirtualUnderlyingBalance: selector('getVirtualUnderlyingBalance(address)'),
} as const;

/** A single call whose success is required. */
export function one<T>(call: Call, what: string, decode: (data: Hex) => T): Read<T> {
  return { calls: [call], decode: ([result]) => decode(successOf(result, what)) };
}

const withAddress = (selectorHex: Hex, address: Address): Hex => `${selectorHex}${addressWord(address)}`;
const withUint = (selectorHex: Hex, value: number): Hex => `${selectorHex}${uintWord(value)}`;

export const addressRead = (to: Address, data: Hex, what: string): Read<Address> =>
  one({ to, data }, what, (answer) => addressAt(answer, 0));

export const uintRead = (to: Address, data: Hex, what: string, most?: bigint): Read<bigint> =>
  one({ to, data }, what, (answer) =>
    most === undefined ? uintAt(answer, 0) : uintWithin(answer, 0, most, what),
  );

/** The functions that came with a version, whether or not they have something to tell. */
export function functionsRead(pool: Address): Read<VersionFunctions> {
  const calls = [
    withAddress(SELECTORS.getVirtualUnderlyingBalance, pool),
    withUint(SELECTORS.getEModeCategoryCollateralBitmap, 1),
    withAddress(SELECTORS.getReserveDeficit, pool),
    SELECTORS.reserveInterestRateStrategy,
  ];
  return {
    calls: calls.map((data) => ({ to: pool, data })),
    decode: (results) => {
      const [virtualBalance, eModeBitmap, reserveDeficit, oneRateStrategy] = results.map(
        (result) => result.success && result.data.length >= ONE_WORD,
      );
      return {
        virtualBalance: virtualBalance === true,
        eModeBitmap: eModeBitmap === true,
        reserveDeficit: reserveDeficit === true,
        oneRateStrategy: oneRateStrategy === true,
      };
    },
  };
}

/**
 * Whether an aToken is of 3.0.0, whose BalanceTransfer holds another amount. Its function refuses the call
 * with a reason; a token that does not have it refuses without one.
 */
export function isOfFirstVersion(aToken: Address): Read<boolean> {
  const data: Hex = `${SELECTORS.handleRepayment}${addressWord(aToken)}${uintWord(0)}`;
  return {
    calls: [{ to: aToken, data }],
    decode: ([result]) => result !== undefined && (result.success || result.data.length > ONE_WORD),
  };
}

/** A list of addresses: (offset, length, addresses). */
export const addressesRead = (to: Address, data: Hex, what: string): Read<readonly Address[]> =>
  one({ to, data }, what, (answer) =>
    Array.from({ length: Number(uintWithin(answer, 1, MOST_RESERVES, what)) }, (_, index) =>
      addressAt(answer, 2 + index),
    ),
  );

const bits = (map: bigint, from: number, length: number): bigint =>
  (map >> BigInt(from)) & ((1n << BigInt(length)) - 1n);

/** A reserve, and what only the contracts of older versions have. */
export interface ReadReserve {
  readonly reserve: Reserve;
  /** Until 3.1; 0: none. */
  readonly eMode: number;
  /** Until 3.1. */
  readonly stableDebtToken: Address;
}

/**
 * One reserve with its configuration and indexes (IPool.getReserveData; bit positions of
 * ReserveConfiguration.sol). Since 3.2 the places of what is gone hold nothing.
 */
export function reserveRead(
  pool: Address,
  { functions, compounding }: LiquidationRules,
  asset: Address,
): Read<ReadReserve> {
  const grace: Call = { to: pool, data: withAddress(SELECTORS.getLiquidationGracePeriod, asset) };
  return {
    calls: [
      { to: pool, data: withAddress(SELECTORS.getReserveData, asset) },
      { to: asset, data: SELECTORS.symbol },
      ...(functions.gracePeriods ? [grace] : []),
    ],
    decode: ([reserveData, symbol, gracePeriod]) => {
      const data = successOf(reserveData, `reserve ${asset}`);
      const configuration = uintAt(data, 0);
      const hasVirtualBalance =
        functions.virtualBalances === 'all' ||
        (functions.virtualBalances === 'some' && bits(configuration, 252, 1) === 1n);
      const reserve: Reserve = {
        id: Number(uintWithin(data, 7, MOST_RESERVES - 1n, `the id of ${asset}`)),
        asset,
        symbol: symbolOf(symbol, asset),
        decimals: Number(bits(configuration, 48, 8)),
        aToken: addressAt(data, 8),
        variableDebtToken: addressAt(data, 10),
        liquidationThresholdBps: bits(configuration, 16, 16),
        liquidationBonusBps: bits(configuration, 32, 16),
        liquidationProtocolFeeBps: bits(configuration, 152, 16),
        active: bits(configuration, 56, 1) === 1n,
        paused: bits(configuration, 60, 1) === 1n,
        gracePeriodUntil: functions.gracePeriods
          ? timeAt(successOf(gracePeriod, `grace period of ${asset}`), 0)
          : 0,
        ...(hasVirtualBalance ? {} : { paysFromBalance: true }),
        indexes: {
          liquidityIndex: amountAt(data, 1, 'liquidityIndex'),
          liquidityRate: amountAt(data, 2, 'liquidityRate'),
          variableBorrowIndex: amountAt(data, 3, 'variableBorrowIndex'),
          variableBorrowRate: amountAt(data, 4, 'variableBorrowRate'),
          updatedAt: timeAt(data, 6),
          ...(compounding === 'binomial' ? { binomial: true } : {}),
        },
      };
      return { reserve, eMode: Number(bits(configuration, 168, 8)), stableDebtToken: addressAt(data, 9) };
    },
  };
}

/**
 * What the pool can pay out of an asset: what was supplied and is not lent out. A liquidation that pays out
 * more reverts: without a reason where a virtual balance underflows (IPool, 3.1 and later), else in the
 * transfer from the aToken. Undefined when the call reverts.
 */
export function payableRead(
  pool: Address,
  { asset, aToken, paysFromBalance }: Reserve,
): Read<bigint | undefined> {
  const call = paysFromBalance
    ? { to: asset, data: withAddress(SELECTORS.balanceOf, aToken) }
    : { to: pool, data: withAddress(SELECTORS.getVirtualUnderlyingBalance, asset) };
  return {
    calls: [call],
    decode: ([result]) =>
      result?.success === true
        ? uintWithin(result.data, 0, MOST_128_BITS, 'the cash of a reserve')
        : undefined,
  };
}

/** A category's liquidation terms; undefined when the id is not in use (threshold 0). */
export function eModeRead(pool: Address, categoryId: number): Read<EMode | undefined> {
  return {
    calls: [
      { to: pool, data: withUint(SELECTORS.getEModeCategoryCollateralConfig, categoryId) },
      { to: pool, data: withUint(SELECTORS.getEModeCategoryCollateralBitmap, categoryId) },
    ],
    decode: ([terms, bitmap]) => {
      const data = successOf(terms, `e-mode category ${categoryId}`);
      const liquidationThresholdBps = uintWithin(data, 1, MOST_BPS, 'a threshold');
      if (liquidationThresholdBps === 0n) return undefined;
      return {
        id: categoryId,
        liquidationThresholdBps,
        liquidationBonusBps: uintWithin(data, 2, MOST_BPS, 'a bonus'),
        collateralBitmap: amountAt(successOf(bitmap, `bitmap of e-mode category ${categoryId}`), 0),
      };
    },
  };
}

/**
 * The terms of a category until 3.1; undefined when the id is not in use (threshold 0). Which reserves are in
 * it, the reserves tell.
 */
export function eModeBefore32Read(pool: Address, categoryId: number): Read<EMode | undefined> {
  return one(
    { to: pool, data: withUint(SELECTORS.getEModeCategoryData, categoryId) },
    `e-mode category ${categoryId}`,
    (data) => {
      // The first word says where the structure begins, because a text is in it.
      const liquidationThresholdBps = uintWithin(data, 2, MOST_BPS, 'a threshold');
      if (liquidationThresholdBps === 0n) return undefined;
      const priceSource = addressAt(data, 4);
      return {
        id: categoryId,
        liquidationThresholdBps,
        liquidationBonusBps: uintWithin(data, 3, MOST_BPS, 'a bonus'),
        collateralBitmap: 0n,
        ...(priceSource === ZERO_ADDRESS ? {} : { priceSource }),
      };
    },
  );
}

/**
 * The prices of the market's oracle (AaveOracle.getAssetPrice, USD8), and whether the sentinel allows
 * liquidations.
 *
 * @param assets everything that has a price by default.
 */
export function conditionsRead(
  market: AaveMarket,
  timestamp: number,
  assets = pricedAddresses(market),
): Read<MarketConditions> {
  const calls: Call[] = assets.map((asset) => ({
    to: market.oracle,
    data: withAddress(SELECTORS.getAssetPrice, asset),
  }));
  if (market.sentinel) calls.push({ to: market.sentinel, data: SELECTORS.isLiquidationAllowed });
  return {
    calls,
    decode: (results) => {
      const prices = new Map<Address, bigint>();
      for (const [index, asset] of assets.entries()) {
        const result = results[index];
        if (!result?.success) continue;
        const price = uintAt(result.data, 0);
        // AaveOracle may fall back to 0. That is a missing price, not a free asset. A negative answer cast to
        // a very large number is a missing price too.
        if (price > 0n && price < 1n << 128n) prices.set(asset, price);
      }
      const sentinel = market.sentinel ? uintAt(successOf(results[assets.length], 'sentinel'), 0) : 1n;
      return { timestamp, prices, sentinelAllows: sentinel === 1n };
    },
  };
}

/**
 * A whole account: e-mode, flags, and the scaled balances of all reserves, also of those that are no
 * collateral.
 */
export function accountRead(market: AaveMarket, account: Address): Read<AaveAccount> {
  const own = (to: Address, data: Hex, most?: bigint): Read<bigint> =>
    uintRead(to, withAddress(data, account), `account ${account}`, most);
  const reserves = [...market.reserves.values()].toSorted((a, b) => a.id - b.id);
  const all = together(
    own(market.pool, SELECTORS.getUserConfiguration),
    own(market.pool, SELECTORS.getUserEMode, HIGHEST_E_MODE),
    each(
      reserves.map(({ aToken, variableDebtToken }) =>
        together(
          own(aToken, SELECTORS.scaledBalanceOf, MOST_128_BITS),
          own(variableDebtToken, SELECTORS.scaledBalanceOf, MOST_128_BITS),
        ),
      ),
    ),
  );
  return {
    calls: all.calls,
    decode: (results) => {
      const [configuration, eMode, balances] = all.decode(results);
      const legs = reserves.flatMap(({ id }, index): Leg[] => {
        const [scaledSupply, scaledDebt] = balances[index] ?? [0n, 0n];
        // UserConfigurationMap.data has two bits a reserve: borrowing, then collateral.
        const usedAsCollateral = bits(configuration, 2 * id + 1, 1) === 1n;
        if (scaledSupply === 0n && scaledDebt === 0n && !usedAsCollateral) return [];
        return [{ reserveId: id, scaledSupply, usedAsCollateral, scaledDebt }];
      });
      return { address: account, eMode: Number(eMode), legs };
    },
  };
}

/** What the chain says about an account (Pool.getUserAccountData). */
export interface ChainAccountData {
  readonly account: Address;
  readonly totalCollateralUsd8: bigint;
  readonly totalDebtUsd8: bigint;
  readonly healthFactorWad: bigint;
}

/** Undefined when the call reverts, as it does while the oracle has no price for an asset of the account. */
export function accountDataRead(market: AaveMarket, account: Address): Read<ChainAccountData | undefined> {
  return {
    calls: [{ to: market.pool, data: withAddress(SELECTORS.getUserAccountData, account) }],
    decode: ([result]) =>
      result?.success === true
        ? {
            account,
            totalCollateralUsd8: uintAt(result.data, 0),
            totalDebtUsd8: uintAt(result.data, 1),
            healthFactorWad: uintAt(result.data, 5),
          }
        : undefined,
  };
}
