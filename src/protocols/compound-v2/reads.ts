import { id } from 'ethers';
import {
  addressAt,
  addressWord,
  amountAt,
  MOST_128_BITS,
  uintAt,
  uintWithin,
  type Address,
  type Hex,
} from '../../domain/hex.js';
import type { MulticallCall as Call } from '../../rpc/chain/multicall3.js';
import { each, successOf, together, type Read } from '../../rpc/chain/read.js';
import { symbolOf } from '../token-symbol.js';
import type { CompoundAccount, CompoundMarket, InterestClock, Leg, MarketState, MToken } from './market.js';

/**
 * Calls to Compound v2's contracts and to those of its fork Moonwell. They are encoded and decoded by hand,
 * because some of them run at every block.
 */

const selector = (signature: string): Hex => id(signature).slice(0, 10) as Hex;

export const SELECTORS = {
  isComptroller: selector('isComptroller()'),
  getAllMarkets: selector('getAllMarkets()'),
  oracle: selector('oracle()'),
  closeFactorMantissa: selector('closeFactorMantissa()'),
  liquidationIncentiveMantissa: selector('liquidationIncentiveMantissa()'),
  seizeGuardianPaused: selector('seizeGuardianPaused()'),
  markets: selector('markets(address)'),
  isDeprecated: selector('isDeprecated(address)'),
  getAssetsIn: selector('getAssetsIn(address)'),
  getAccountLiquidity: selector('getAccountLiquidity(address)'),
  liquidateBorrowAllowed: selector('liquidateBorrowAllowed(address,address,address,address,uint256)'),
  getUnderlyingPrice: selector('getUnderlyingPrice(address)'),
  underlying: selector('underlying()'),
  symbol: selector('symbol()'),
  decimals: selector('decimals()'),
  interestRateModel: selector('interestRateModel()'),
  reserveFactorMantissa: selector('reserveFactorMantissa()'),
  protocolSeizeShareMantissa: selector('protocolSeizeShareMantissa()'),
  accrualBlockNumber: selector('accrualBlockNumber()'),
  accrualBlockTimestamp: selector('accrualBlockTimestamp()'),
  borrowRatePerBlock: selector('borrowRatePerBlock()'),
  borrowRatePerTimestamp: selector('borrowRatePerTimestamp()'),
  getCash: selector('getCash()'),
  totalBorrows: selector('totalBorrows()'),
  totalReserves: selector('totalReserves()'),
  totalSupply: selector('totalSupply()'),
  borrowIndex: selector('borrowIndex()'),
  balanceOf: selector('balanceOf(address)'),
  borrowBalanceStored: selector('borrowBalanceStored(address)'),
} as const;

/** Fractions are wads of at most 1; the liquidation incentive may be above it. */
const MOST_FRACTION_WAD = 10n ** 18n;
const MOST_INCENTIVE_WAD = 100n * MOST_FRACTION_WAD;
/** More decimals than the scale of the oracle's prices would leave none for the price. */
const MOST_DECIMALS = 36n;
/** A rate that is not known, because the call for it reverts: the market stands still. */
const NO_RATE = MOST_128_BITS;

const withAddress = (selectorHex: Hex, address: Address): Hex => `${selectorHex}${addressWord(address)}`;

/** A single call whose success is required. */
function one<T>(call: Call, what: string, decode: (data: Hex) => T): Read<T> {
  return { calls: [call], decode: ([result]) => decode(successOf(result, what)) };
}

/** A single call; undefined when it reverts, or answers nothing. */
function perhaps<T>(call: Call, decode: (data: Hex) => T): Read<T | undefined> {
  return {
    calls: [call],
    decode: ([result]) =>
      result?.success === true && result.data.length >= 66 ? decode(result.data) : undefined,
  };
}

export const addressRead = (to: Address, data: Hex, what: string): Read<Address> =>
  one({ to, data }, what, (answer) => addressAt(answer, 0));

const uintRead = (to: Address, data: Hex, what: string, most: bigint): Read<bigint> =>
  one({ to, data }, what, (answer) => uintWithin(answer, 0, most, what));

const fractionRead = (to: Address, data: Hex, what: string): Read<bigint> =>
  uintRead(to, data, what, MOST_FRACTION_WAD);

/** Whether the contract says of itself that it is a Comptroller. */
export function isComptrollerRead(address: Address): Read<boolean> {
  const { calls, decode } = perhaps({ to: address, data: SELECTORS.isComptroller }, (data) =>
    uintAt(data, 0),
  );
  return { calls, decode: (results) => decode(results) === 1n };
}

function addressesOf(data: Hex): Address[] {
  const length = Number(uintWithin(data, 1, 10_000n, 'the length of a list'));
  return Array.from({ length }, (_, index) => addressAt(data, 2 + index));
}

/** Everything of a Comptroller but its markets. */
export function comptrollerRead(
  name: string,
  comptroller: Address,
): Read<
  Pick<CompoundMarket, 'oracle' | 'closeFactorWad' | 'incentiveWad' | 'seizePaused'> & {
    readonly markets: readonly Address[];
  }
> {
  const all = together(
    addressRead(comptroller, SELECTORS.oracle, `${name}: the price oracle`),
    fractionRead(comptroller, SELECTORS.closeFactorMantissa, `${name}: the close factor`),
    uintRead(
      comptroller,
      SELECTORS.liquidationIncentiveMantissa,
      `${name}: the liquidation incentive`,
      MOST_INCENTIVE_WAD,
    ),
    perhaps({ to: comptroller, data: SELECTORS.seizeGuardianPaused }, (data) => uintAt(data, 0) === 1n),
    one({ to: comptroller, data: SELECTORS.getAllMarkets }, `${name}: the markets`, addressesOf),
  );
  return {
    calls: all.calls,
    decode: (results) => {
      const [oracle, closeFactorWad, incentiveWad, seizePaused = false, markets] = all.decode(results);
      return { oracle, closeFactorWad, incentiveWad, seizePaused, markets };
    },
  };
}

/** What an mToken lends: undefined for a market of the native coin, which has no `underlying`. */
export function underlyingRead(mToken: Address): Read<Address | undefined> {
  return perhaps({ to: mToken, data: SELECTORS.underlying }, (data) => addressAt(data, 0));
}

/** By what its interest is counted: only Moonwell's has this function. */
export function clockRead(mToken: Address): Read<InterestClock> {
  const { calls, decode } = perhaps({ to: mToken, data: SELECTORS.accrualBlockTimestamp }, () => true);
  return { calls, decode: (results) => (decode(results) ? 'timestamp' : 'block') };
}

function symbolRead(asset: Address): Read<string> {
  return {
    calls: [{ to: asset, data: SELECTORS.symbol }],
    decode: ([result]) => symbolOf(result, asset),
  };
}

/** The terms of one market. */
export function mTokenRead(
  comptroller: Address,
  known: Pick<MToken, 'id' | 'address' | 'asset' | 'isNative'>,
): Read<MToken> {
  const { address: to, asset } = known;
  const all = together(
    one({ to: asset, data: SELECTORS.decimals }, `decimals of ${asset}`, (data) =>
      Number(uintWithin(data, 0, MOST_DECIMALS, 'decimals')),
    ),
    symbolRead(asset),
    addressRead(to, SELECTORS.interestRateModel, `the rate model of ${to}`),
    fractionRead(to, SELECTORS.reserveFactorMantissa, `the reserve factor of ${to}`),
    // The first versions keep nothing of what is seized.
    perhaps({ to, data: SELECTORS.protocolSeizeShareMantissa }, (data) =>
      uintWithin(data, 0, MOST_FRACTION_WAD, 'a seize share'),
    ),
    // Compound's has a third field.
    one({ to: comptroller, data: withAddress(SELECTORS.markets, to) }, `market ${to}`, (data) => ({
      listed: uintAt(data, 0) === 1n,
      collateralFactorWad: uintWithin(data, 1, MOST_FRACTION_WAD, 'a collateral factor'),
    })),
    // Moonwell has no deprecated markets.
    perhaps(
      { to: comptroller, data: withAddress(SELECTORS.isDeprecated, to) },
      (data) => uintAt(data, 0) === 1n,
    ),
  );
  return {
    calls: all.calls,
    decode: (results) => {
      const [decimals, symbol, rateModel, reserveFactorWad, seizeShareWad = 0n, terms, deprecated = false] =
        all.decode(results);
      return { ...known, decimals, symbol, rateModel, reserveFactorWad, seizeShareWad, ...terms, deprecated };
    },
  };
}

/** What a market has booked, and at what rate it goes on. */
export function stateRead(mToken: Address, clock: InterestClock): Read<MarketState> {
  const amount = (data: Hex, what: string): Read<bigint> =>
    one({ to: mToken, data }, `${what} of ${mToken}`, (answer) => amountAt(answer, 0, what));
  const bySeconds = clock === 'timestamp';
  const all = together(
    amount(SELECTORS.getCash, 'the cash'),
    amount(SELECTORS.totalBorrows, 'the debt'),
    amount(SELECTORS.totalReserves, 'the reserves'),
    amount(SELECTORS.totalSupply, 'the supply'),
    amount(SELECTORS.borrowIndex, 'the borrow index'),
    amount(bySeconds ? SELECTORS.accrualBlockTimestamp : SELECTORS.accrualBlockNumber, 'the accrual'),
    perhaps(
      { to: mToken, data: bySeconds ? SELECTORS.borrowRatePerTimestamp : SELECTORS.borrowRatePerBlock },
      (data) => amountAt(data, 0, 'a borrow rate'),
    ),
  );
  return {
    calls: all.calls,
    decode: (results) => {
      const [cash, totalBorrows, totalReserves, totalSupply, borrowIndex, accruedAt, rate = NO_RATE] =
        all.decode(results);
      const totals = { cash, totalBorrows, totalReserves, totalSupply, borrowIndex };
      return { totals, accruedAt, borrowRateWad: rate };
    },
  };
}

/** PriceOracle.getUnderlyingPrice; undefined where the oracle has no price: 0, or a revert. */
export function priceRead(oracle: Address, mToken: Address): Read<bigint | undefined> {
  const { calls, decode } = perhaps(
    { to: oracle, data: withAddress(SELECTORS.getUnderlyingPrice, mToken) },
    (data) => uintAt(data, 0),
  );
  return {
    calls,
    decode: (results) => {
      const price = decode(results);
      // A token of 6 decimals at 100,000 USD has 1e35.
      return price !== undefined && price > 0n && price < 1n << 192n ? price : undefined;
    },
  };
}

/** mTokens and debt of an account in a market, as it is booked there. */
export interface ChainBalances {
  readonly tokens: bigint;
  /** CToken.borrowBalanceStored, units of the asset. */
  readonly debt: bigint;
}

export function balancesRead(mToken: Address, account: Address): Read<ChainBalances> {
  const amount = (data: Hex): Read<bigint> =>
    one({ to: mToken, data: withAddress(data, account) }, `account ${account}`, (answer) =>
      amountAt(answer, 0),
    );
  const both = together(amount(SELECTORS.balanceOf), amount(SELECTORS.borrowBalanceStored));
  return {
    calls: both.calls,
    decode: (results) => {
      const [tokens, debt] = both.decode(results);
      return { tokens, debt };
    },
  };
}

/** The markets that an account has entered. */
export function enteredRead(comptroller: Address, account: Address): Read<ReadonlySet<Address>> {
  const { calls, decode } = one(
    { to: comptroller, data: withAddress(SELECTORS.getAssetsIn, account) },
    `the markets of ${account}`,
    addressesOf,
  );
  return { calls, decode: (results) => new Set(decode(results)) };
}

/**
 * A whole account. No function tells its principal and index, so that the debt as the market has booked it
 * stands for them, until they are told (`withExactDebts`). Where nothing tells them, the debt may come out up
 * to two units too low, until the account borrows or repays.
 */
export function accountRead(market: CompoundMarket, account: Address): Read<CompoundAccount> {
  const mTokens = [...market.mTokens.values()].toSorted((a, b) => a.id - b.id);
  const all = together(
    enteredRead(market.comptroller, account),
    each(
      mTokens.map(({ address }) =>
        together(
          balancesRead(address, account),
          one({ to: address, data: SELECTORS.borrowIndex }, `the index of ${address}`, (data) =>
            amountAt(data, 0),
          ),
        ),
      ),
    ),
  );
  return {
    calls: all.calls,
    decode: (results) => {
      const [entered, markets] = all.decode(results);
      const legs = mTokens.flatMap(({ id: mTokenId, address }, index): Leg[] => {
        const [{ tokens, debt }, interestIndex] = markets[index] ?? [{ tokens: 0n, debt: 0n }, 0n];
        const isIn = entered.has(address);
        if (!isIn && tokens === 0n && debt === 0n) return [];
        return [
          {
            mTokenId,
            entered: isIn,
            tokens,
            principal: debt,
            interestIndex: debt === 0n ? 0n : interestIndex,
          },
        ];
      });
      return { address: account, legs };
    },
  };
}

/** Comptroller.getAccountLiquidity. USD, wad. */
export interface ChainLiquidity {
  /** ComptrollerErrorReporter.Error. */
  readonly error: bigint;
  readonly liquidity: bigint;
  readonly shortfall: bigint;
}

export function liquidityRead(comptroller: Address, account: Address): Read<ChainLiquidity> {
  return one(
    { to: comptroller, data: withAddress(SELECTORS.getAccountLiquidity, account) },
    `the liquidity of ${account}`,
    (data) => ({ error: uintAt(data, 0), liquidity: uintAt(data, 1), shortfall: uintAt(data, 2) }),
  );
}
