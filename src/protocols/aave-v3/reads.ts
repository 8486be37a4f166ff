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
import type { AaveAccount, AaveMarket, EMode, Leg, MarketConditions, Reserve } from './market.js';

/**
 * Calls to Aave v3's contracts. They are encoded and decoded by hand, because they run at every block for
 * thousands of accounts.
 */

/** Aave keeps thresholds and bonuses in uint16, and the ids of e-modes in uint8. */
const MOST_BPS = 65_535n;
const HIGHEST_E_MODE = 255n;

const selector = (signature: string): Hex => id(signature).slice(0, 10) as Hex;

export const SELECTORS = {
  getPool: selector('getPool()'),
  getPoolConfigurator: selector('getPoolConfigurator()'),
  getPriceOracle: selector('getPriceOracle()'),
  getPriceOracleSentinel: selector('getPriceOracleSentinel()'),
  poolRevision: selector('POOL_REVISION()'),
  getReservesCount: selector('getReservesCount()'),
  getReserveAddressById: selector('getReserveAddressById(uint16)'),
  getReserveData: selector('getReserveData(address)'),
  getLiquidationGracePeriod: selector('getLiquidationGracePeriod(address)'),
  getEModeCategoryCollateralConfig: selector('getEModeCategoryCollateralConfig(uint8)'),
  getEModeCategoryCollateralBitmap: selector('getEModeCategoryCollateralBitmap(uint8)'),
  symbol: selector('symbol()'),
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

export const reserveAddressRead = (pool: Address, reserveId: number): Read<Address> =>
  addressRead(pool, withUint(SELECTORS.getReserveAddressById, reserveId), `reserve ${reserveId}`);

const bits = (map: bigint, from: number, length: number): bigint =>
  (map >> BigInt(from)) & ((1n << BigInt(length)) - 1n);

/**
 * One reserve with its configuration and indexes (IPool.getReserveData; bit positions of
 * ReserveConfiguration.sol).
 */
export function reserveRead(pool: Address, reserveId: number, asset: Address): Read<Reserve> {
  return {
    calls: [
      { to: pool, data: withAddress(SELECTORS.getReserveData, asset) },
      { to: pool, data: withAddress(SELECTORS.getLiquidationGracePeriod, asset) },
      { to: asset, data: SELECTORS.symbol },
    ],
    decode: ([reserveData, grace, symbol]) => {
      const data = successOf(reserveData, `reserve ${asset}`);
      const configuration = uintAt(data, 0);
      return {
        id: reserveId,
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
        gracePeriodUntil: timeAt(successOf(grace, `grace period of ${asset}`), 0),
        indexes: {
          liquidityIndex: amountAt(data, 1, 'liquidityIndex'),
          liquidityRate: amountAt(data, 2, 'liquidityRate'),
          variableBorrowIndex: amountAt(data, 3, 'variableBorrowIndex'),
          variableBorrowRate: amountAt(data, 4, 'variableBorrowRate'),
          updatedAt: timeAt(data, 6),
        },
      };
    },
  };
}

/**
 * What the pool can pay out of an asset: what was supplied and is not lent out (IPool, 3.1 and later). A
 * liquidation that pays out more reverts without a reason, because a subtraction underflows. Undefined when
 * the call reverts.
 */
export function payableRead(pool: Address, asset: Address): Read<bigint | undefined> {
  return {
    calls: [{ to: pool, data: withAddress(SELECTORS.getVirtualUnderlyingBalance, asset) }],
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
 * The prices of the market's oracle (AaveOracle.getAssetPrice, USD8), and whether the sentinel allows
 * liquidations.
 *
 * @param assets the assets of all reserves by default.
 */
export function conditionsRead(
  market: AaveMarket,
  timestamp: number,
  assets = [...market.reserves.values()].map((reserve) => reserve.asset),
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
