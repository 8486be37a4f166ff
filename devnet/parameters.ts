/**
 * What the market of the local chain looks like: tokens, risk parameters, pools, depths. Data only. The risk
 * parameters lie close to those of Aave v3 on Base; the loan-to-value ratios are set a little nearer to the
 * liquidation thresholds, so that a position can be opened with a health factor of about 1.03.
 */

/** The tokens of the local chain. */
export type TokenSymbol = 'WETH' | 'USDC' | 'cbETH' | 'cbBTC';

/** In the order of their Aave reserve ids. */
export const TOKEN_SYMBOLS: readonly TokenSymbol[] = ['WETH', 'USDC', 'cbETH', 'cbBTC'];

/** USD prices by token, 8 decimals. */
export type Prices = Record<TokenSymbol, bigint>;

/** Parameters of DefaultReserveInterestRateStrategyV2, basis points. */
export interface RateParameters {
  optimalUsageRatio: number;
  baseVariableBorrowRate: number;
  variableRateSlope1: number;
  variableRateSlope2: number;
}

export interface TokenParameters {
  name: string;
  decimals: number;
  initialPriceUsd8: bigint;
  ltvBps: bigint;
  liquidationThresholdBps: bigint;
  /** 10500 means the liquidator gets 105 % of the debt's worth. */
  liquidationBonusBps: bigint;
  reserveFactorBps: bigint;
  rate: RateParameters;
}

const usd8 = (dollars: number): bigint => BigInt(dollars) * 10n ** 8n;

export const TOKENS: Readonly<Record<TokenSymbol, TokenParameters>> = {
  WETH: {
    name: 'Wrapped Ether',
    decimals: 18,
    initialPriceUsd8: usd8(3_000),
    ltvBps: 8_100n,
    liquidationThresholdBps: 8_300n,
    liquidationBonusBps: 10_500n,
    reserveFactorBps: 1_500n,
    rate: {
      optimalUsageRatio: 9_000,
      baseVariableBorrowRate: 0,
      variableRateSlope1: 270,
      variableRateSlope2: 8_000,
    },
  },
  USDC: {
    name: 'USD Coin',
    decimals: 6,
    initialPriceUsd8: usd8(1),
    ltvBps: 7_600n,
    liquidationThresholdBps: 7_800n,
    liquidationBonusBps: 10_500n,
    reserveFactorBps: 1_000n,
    rate: {
      optimalUsageRatio: 9_000,
      baseVariableBorrowRate: 0,
      variableRateSlope1: 550,
      variableRateSlope2: 4_000,
    },
  },
  cbETH: {
    name: 'Coinbase Wrapped Staked ETH',
    decimals: 18,
    initialPriceUsd8: usd8(3_300),
    ltvBps: 7_700n,
    liquidationThresholdBps: 7_900n,
    liquidationBonusBps: 10_750n,
    reserveFactorBps: 1_500n,
    rate: {
      optimalUsageRatio: 4_500,
      baseVariableBorrowRate: 0,
      variableRateSlope1: 700,
      variableRateSlope2: 30_000,
    },
  },
  cbBTC: {
    name: 'Coinbase Wrapped BTC',
    decimals: 8,
    initialPriceUsd8: usd8(90_000),
    ltvBps: 7_600n,
    liquidationThresholdBps: 7_800n,
    liquidationBonusBps: 10_750n,
    reserveFactorBps: 2_000n,
    rate: {
      optimalUsageRatio: 4_500,
      baseVariableBorrowRate: 0,
      variableRateSlope1: 400,
      variableRateSlope2: 30_000,
    },
  },
};

export interface EModeParameters {
  id: number;
  label: string;
  ltvBps: bigint;
  liquidationThresholdBps: bigint;
  liquidationBonusBps: bigint;
  collaterals: readonly TokenSymbol[];
  borrowables: readonly TokenSymbol[];
}

/** The one eMode category of the local market. */
export const EMODE: EModeParameters = {
  id: 1,
  label: 'ETH correlated',
  ltvBps: 9_100n,
  liquidationThresholdBps: 9_300n,
  liquidationBonusBps: 10_100n,
  collaterals: ['WETH', 'cbETH'],
  borrowables: ['WETH'],
};

/** Share of the liquidation bonus that goes to the Aave treasury. */
export const LIQUIDATION_PROTOCOL_FEE_BPS = 1_000n;

/** Premium of Aave's flash loans. */
export const FLASH_LOAN_PREMIUM_BPS = 5n;

export interface PoolParameters {
  tokens: readonly [TokenSymbol, TokenSymbol];
  /** Uniswap v3 fee tier, hundredths of a basis point. */
  fee: number;
}

export const UNISWAP_POOLS: readonly PoolParameters[] = [
  { tokens: ['WETH', 'USDC'], fee: 500 },
  { tokens: ['WETH', 'USDC'], fee: 3000 },
  { tokens: ['cbETH', 'WETH'], fee: 500 },
  { tokens: ['cbETH', 'USDC'], fee: 3000 },
  { tokens: ['cbBTC', 'WETH'], fee: 3000 },
  { tokens: ['cbBTC', 'USDC'], fee: 3000 },
];

/** A Slipstream pool is a Uniswap pool of a factory of its own, known by the tick spacing of its fee tier. */
export const SLIPSTREAM_POOLS: readonly (PoolParameters & { tickSpacing: number })[] = [
  { tokens: ['WETH', 'USDC'], fee: 500, tickSpacing: 10 },
];

/** Of the curve x*y all: the stable curve would trade cbETH and WETH one for one. */
export const SOLIDLY_POOLS: readonly (readonly [TokenSymbol, TokenSymbol])[] = [
  ['WETH', 'USDC'],
  ['cbETH', 'WETH'],
];

/** Worth of each side of each pool, unless startDevnet is told otherwise. */
export const DEFAULT_POOL_DEPTH_USD8 = usd8(50_000_000);

/** What the supplier lends to Aave per token: enough for thousands of borrowers. */
export const AAVE_LIQUIDITY_USD8 = usd8(300_000_000);

/** What the supplier lends per market of Compound, and per market of Morpho, whose tokens overlap. */
export const COMPOUND_LIQUIDITY_USD8 = usd8(100_000_000);
export const MORPHO_LIQUIDITY_USD8 = usd8(100_000_000);

/** What lies in Balancer's vault per token. */
export const BALANCER_LIQUIDITY_USD8 = usd8(100_000_000);

/**
 * The rules of the Compound v2 market, as Moonwell's at its launch on Base; fractions are wads. A market's
 * collateral factor is Aave's liquidation threshold of the token.
 */
export const COMPOUND = {
  closeFactorWad: 500_000_000_000_000_000n,
  /** 1.1 means that the liquidator seizes 110 % of the debt's worth, 2.8 % of which the protocol keeps. */
  liquidationIncentiveWad: 1_100_000_000_000_000_000n,
  /** Yearly, for JumpRateModelV2, which counts 2,102,400 blocks a year whatever their distance. */
  rate: {
    baseWad: 0n,
    multiplierWad: 50_000_000_000_000_000n,
    jumpMultiplierWad: 2_000_000_000_000_000_000n,
    kinkWad: 800_000_000_000_000_000n,
  },
};

/**
 * Loan-to-value ratio at which a Morpho position becomes liquidatable, a wad; the same in all markets here.
 */
export const MORPHO_LLTV_WAD = 860_000_000_000_000_000n;

export const MORPHO_MARKETS: readonly { collateral: TokenSymbol; loan: TokenSymbol }[] = [
  { collateral: 'WETH', loan: 'USDC' },
  { collateral: 'cbETH', loan: 'USDC' },
  { collateral: 'cbBTC', loan: 'USDC' },
  { collateral: 'cbETH', loan: 'WETH' },
];

/** Base's floor of the base fee, wei per gas. */
export const BASE_FEE_FLOOR_WEI = 5_000_000n;

/** L1 fee parameters in the order of magnitude of Base after Fjord; fees in wei, scalars in millionths. */
export const L1_FEES = {
  baseFeeWei: 8_000_000_000n,
  blobBaseFeeWei: 500_000_000n,
  baseFeeScalar: 2_269n,
  blobBaseFeeScalar: 1_055_762n,
};

/** The prices at start-up, USD with 8 decimals. */
export function initialPrices(): Prices {
  return {
    WETH: TOKENS.WETH.initialPriceUsd8,
    USDC: TOKENS.USDC.initialPriceUsd8,
    cbETH: TOKENS.cbETH.initialPriceUsd8,
    cbBTC: TOKENS.cbBTC.initialPriceUsd8,
  };
}

/**
 * The amount of a token that is worth so much.
 * @param valueUsd8 worth, USD with 8 decimals
 * @param priceUsd8 price of one whole token, USD with 8 decimals
 * @returns the token's smallest units, rounded down
 */
export function amountWorth(symbol: TokenSymbol, valueUsd8: bigint, priceUsd8: bigint): bigint {
  return (valueUsd8 * 10n ** BigInt(TOKENS[symbol].decimals)) / priceUsd8;
}

/**
 * The worth of an amount of a token.
 * @param amount the token's smallest units
 * @param priceUsd8 price of one whole token, USD with 8 decimals
 * @returns USD with 8 decimals, rounded down
 */
export function worthOf(symbol: TokenSymbol, amount: bigint, priceUsd8: bigint): bigint {
  return (amount * priceUsd8) / 10n ** BigInt(TOKENS[symbol].decimals);
}
