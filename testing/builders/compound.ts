import { toAddress, type Address } from '../../src/domain/hex.js';
import { WAD } from '../../src/domain/money.js';
import type {
  CompoundAccount,
  CompoundMarket,
  MarketConditions,
  MToken,
} from '../../src/protocols/compound-v2/market.js';

const address = (digits: string): Address => toAddress(`0x${digits.padStart(40, '0')}`);

export const BORROWER = address('b0');

/** Market 0 is ether at $3,000, market 1 is USDC. One mToken is worth 0.02 of its asset. */
export function compoundMarket(change: Partial<CompoundMarket> = {}): CompoundMarket {
  const mToken = (id: number, symbol: string, decimals: number): MToken => ({
    ...{ id, address: address(`c${id}`), asset: address(`a${id}`), symbol, decimals },
    ...{ isNative: false, rateModel: address('d0'), listed: true, deprecated: false },
    ...{ collateralFactorWad: (WAD * 8n) / 10n, reserveFactorWad: 0n, seizeShareWad: (WAD * 3n) / 100n },
  });
  return {
    ...{ name: 'moonwell', comptroller: address('e0'), oracle: address('f0'), clock: 'timestamp' },
    ...{ closeFactorWad: WAD / 2n, incentiveWad: (WAD * 11n) / 10n, seizePaused: false },
    mTokens: new Map([
      [0, mToken(0, 'WETH', 18)],
      [1, mToken(1, 'USDC', 6)],
    ]),
    ...change,
  };
}

/** At second 1,000, to which all interest is booked. */
export function compoundConditions(ethUsd = 3_000n): MarketConditions {
  const state = (unit: bigint): NonNullable<ReturnType<MarketConditions['states']['get']>> => ({
    totals: {
      ...{ cash: 900_000n * unit, totalBorrows: 100_000n * unit, totalReserves: 0n },
      totalSupply: 50_000_000n * 10n ** 8n,
      borrowIndex: WAD,
    },
    accruedAt: 1_000n,
    borrowRateWad: 10n ** 9n,
  });
  return {
    at: 1_000n,
    states: new Map([
      [0, state(10n ** 18n)],
      [1, state(10n ** 6n)],
    ]),
    prices: new Map([
      [0, ethUsd * 10n ** 18n],
      [1, 10n ** 30n],
    ]),
  };
}

/** Ten ether as collateral, and a debt in USDC. */
export function compoundAccount(debtUsdc: bigint): CompoundAccount {
  const none = { tokens: 0n, principal: 0n, interestIndex: 0n };
  return {
    address: BORROWER,
    legs: [
      { ...none, mTokenId: 0, entered: true, tokens: 500n * 10n ** 8n },
      { ...none, mTokenId: 1, entered: true, principal: debtUsdc * 10n ** 6n, interestIndex: WAD },
    ],
  };
}
