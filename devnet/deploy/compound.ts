/**
 * Deploys Compound v2, which stands in for Moonwell: a Comptroller, a market per token, and one of native
 * ether.
 */
import { type DevnetArtifacts, artifactOf } from '../artifacts/artifacts.js';
import { countingSeconds } from '../artifacts/counting-seconds.js';
import type { PlainTokens } from './tokens.js';
import type { Deployer } from './deployer.js';
import { COMPOUND, COMPOUND_LIQUIDITY_USD8, TOKENS, TOKEN_SYMBOLS, type TokenSymbol } from '../parameters.js';
import type { Supplier } from './supplier.js';

export interface CompoundAddresses {
  /** The Unitroller, behind which the Comptroller is. */
  comptroller: string;
  compoundOracle: string;
  mTokens: Record<TokenSymbol, string>;
  /** The market of native ether: redeeming pays ether, as Moonwell's mWETH does. */
  mNative: string;
}

/** Decimals of every mToken. */
const MTOKEN_DECIMALS = 8;

const BPS_IN_WAD = 10n ** 14n;

/** JumpRateModelV2 takes 2,102,400 blocks for a year. */
const SECONDS_OF_A_BLOCK = 15n;

/** One mToken is worth 0.02 of its underlying token at first: a wad, scaled by the difference in decimals. */
function initialExchangeRate(symbol: TokenSymbol): bigint {
  return 2n * 10n ** BigInt(18 - 2 + TOKENS[symbol].decimals - MTOKEN_DECIMALS);
}

/** A Comptroller whose interest counts seconds, without a market of native ether. */
export type MoonwellAddresses = Omit<CompoundAddresses, 'mNative'>;

/** Queues the deployment of Comptroller, oracle and markets, behind the same proxies as on Base. */
export function deployCompound(
  deployer: Deployer,
  artifacts: DevnetArtifacts,
  tokens: PlainTokens,
): CompoundAddresses {
  const { CErc20Delegate, CEther } = artifacts.compound;
  const comptroller = createComptroller(deployer, artifacts);
  const terms = { comptroller, rateModel: createRateModel(deployer, artifacts) };
  const mTokens = createMarkets(deployer, artifacts, tokens, terms, deployer.create(CErc20Delegate));
  const mNative = deployer.create(CEther, marketArguments(deployer, terms, 'WETH', 'ETH'));
  const compoundOracle = configure(deployer, artifacts, tokens, comptroller, [
    ...TOKEN_SYMBOLS.map((symbol) => ({ market: mTokens[symbol], symbol })),
    { market: mNative, symbol: 'WETH' },
  ]);
  return { comptroller, compoundOracle, mTokens, mNative };
}

/**
 * Queues the deployment of the same with interest by the second, as Moonwell's, whose sources no package has.
 */
export function deployMoonwell(
  deployer: Deployer,
  artifacts: DevnetArtifacts,
  tokens: PlainTokens,
): MoonwellAddresses {
  const { compound, own } = artifacts;
  const comptroller = createComptroller(deployer, artifacts);
  const terms = { comptroller, rateModel: createRateModel(deployer, artifacts, SECONDS_OF_A_BLOCK) };
  const logic = deployer.create(countingSeconds(compound.CErc20Delegate));
  const delegate = deployer.create(artifactOf(own, 'SecondsMarket'), [logic]);
  const mTokens = createMarkets(deployer, artifacts, tokens, terms, delegate);
  const markets = TOKEN_SYMBOLS.map((symbol) => ({ market: mTokens[symbol], symbol }));
  return {
    comptroller,
    compoundOracle: configure(deployer, artifacts, tokens, comptroller, markets),
    mTokens,
  };
}

interface MarketTerms {
  comptroller: string;
  rateModel: string;
}

function createComptroller(deployer: Deployer, { compound }: DevnetArtifacts): string {
  const { Comptroller, Unitroller } = compound;
  const comptroller = deployer.create(Unitroller);
  const implementation = deployer.create(Comptroller);
  deployer.call(comptroller, Unitroller.abi, '_setPendingImplementation', [implementation]);
  deployer.call(implementation, Comptroller.abi, '_become', [comptroller]);
  return comptroller;
}

/** @param share of the rate that counts for one block or second */
function createRateModel(deployer: Deployer, { compound }: DevnetArtifacts, share = 1n): string {
  const { baseWad, multiplierWad, jumpMultiplierWad, kinkWad } = COMPOUND.rate;
  const rates = [baseWad / share, multiplierWad / share, jumpMultiplierWad / share];
  return deployer.create(compound.JumpRateModelV2, [...rates, kinkWad, deployer.address]);
}

function marketArguments(
  { address: owner }: Deployer,
  { comptroller, rateModel }: MarketTerms,
  symbol: TokenSymbol,
  name: string = symbol,
): unknown[] {
  return [
    comptroller,
    rateModel,
    initialExchangeRate(symbol),
    `Compound Devnet ${name}`,
    `m${name}`,
    MTOKEN_DECIMALS,
    owner,
  ];
}

function createMarkets(
  deployer: Deployer,
  { compound }: DevnetArtifacts,
  tokens: PlainTokens,
  terms: MarketTerms,
  delegate: string,
): Record<TokenSymbol, string> {
  const create = (symbol: TokenSymbol): string =>
    deployer.create(compound.CErc20Delegator, [
      tokens[symbol].address,
      ...marketArguments(deployer, terms, symbol),
      delegate,
      '0x',
    ]);
  return { WETH: create('WETH'), USDC: create('USDC'), cbETH: create('cbETH'), cbBTC: create('cbBTC') };
}

/** @returns the oracle */
function configure(
  deployer: Deployer,
  { compound, own }: DevnetArtifacts,
  tokens: PlainTokens,
  comptroller: string,
  markets: readonly { market: string; symbol: TokenSymbol }[],
): string {
  const oracle = deployer.create(artifactOf(own, 'FeedPriceOracle'), [
    markets.map(({ market, symbol }) => [market, tokens[symbol].feed, tokens[symbol].decimals]),
  ]);
  const set = (method: string, ...args: unknown[]): void =>
    deployer.call(comptroller, compound.Comptroller.abi, method, args);
  set('_setPriceOracle', oracle);
  set('_setCloseFactor', COMPOUND.closeFactorWad);
  set('_setLiquidationIncentive', COMPOUND.liquidationIncentiveWad);
  for (const { market, symbol } of markets) {
    set('_supportMarket', market);
    set('_setCollateralFactor', market, TOKENS[symbol].liquidationThresholdBps * BPS_IN_WAD);
  }
  return oracle;
}

/** Queues the supplier's loans to every market. */
export function supplyCompound(
  supplier: Supplier,
  { compound }: DevnetArtifacts,
  { mTokens, mNative }: CompoundAddresses,
): void {
  for (const symbol of TOKEN_SYMBOLS) {
    supplier.approve(symbol, mTokens[symbol]);
    const amount = supplier.worth(symbol, COMPOUND_LIQUIDITY_USD8);
    supplier.call(mTokens[symbol], compound.CErc20Delegator.abi, 'mint', [amount]);
  }
  const ether = supplier.worth('WETH', COMPOUND_LIQUIDITY_USD8);
  supplier.call(mNative, compound.CEther.abi, 'mint', [], ether);
}
