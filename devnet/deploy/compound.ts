/**
 * Deploys Compound v2, which stands in for Moonwell: a Comptroller, a market per token, and one of native
 * ether.
 */
import { type DevnetArtifacts, artifactOf } from '../artifacts/artifacts.js';
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

/** One mToken is worth 0.02 of its underlying token at first: a wad, scaled by the difference in decimals. */
function initialExchangeRate(symbol: TokenSymbol): bigint {
  return 2n * 10n ** BigInt(18 - 2 + TOKENS[symbol].decimals - MTOKEN_DECIMALS);
}

/** Queues the deployment of Comptroller, oracle and markets, behind the same proxies as on Base. */
export function deployCompound(
  deployer: Deployer,
  artifacts: DevnetArtifacts,
  tokens: PlainTokens,
): CompoundAddresses {
  const { Comptroller, Unitroller } = artifacts.compound;
  const comptroller = deployer.create(Unitroller);
  const implementation = deployer.create(Comptroller);
  deployer.call(comptroller, Unitroller.abi, '_setPendingImplementation', [implementation]);
  deployer.call(implementation, Comptroller.abi, '_become', [comptroller]);

  const { mTokens, mNative } = createMarkets(deployer, artifacts, tokens, comptroller);
  const markets = [
    ...TOKEN_SYMBOLS.map((symbol) => ({ market: mTokens[symbol], symbol })),
    { market: mNative, symbol: 'WETH' as const },
  ];
  const compoundOracle = deployer.create(artifactOf(artifacts.own, 'FeedPriceOracle'), [
    markets.map(({ market, symbol }) => [market, tokens[symbol].feed, tokens[symbol].decimals]),
  ]);

  const configure = (method: string, ...args: unknown[]): void =>
    deployer.call(comptroller, Comptroller.abi, method, args);
  configure('_setPriceOracle', compoundOracle);
  configure('_setCloseFactor', COMPOUND.closeFactorWad);
  configure('_setLiquidationIncentive', COMPOUND.liquidationIncentiveWad);
  for (const { market, symbol } of markets) {
    configure('_supportMarket', market);
    configure('_setCollateralFactor', market, TOKENS[symbol].liquidationThresholdBps * BPS_IN_WAD);
  }
  return { comptroller, compoundOracle, mTokens, mNative };
}

function createMarkets(
  deployer: Deployer,
  { compound }: DevnetArtifacts,
  tokens: PlainTokens,
  comptroller: string,
): Pick<CompoundAddresses, 'mTokens' | 'mNative'> {
  const { baseWad, multiplierWad, jumpMultiplierWad, kinkWad } = COMPOUND.rate;
  const owner = deployer.address;
  const rateModel = deployer.create(compound.JumpRateModelV2, [
    baseWad,
    multiplierWad,
    jumpMultiplierWad,
    kinkWad,
    owner,
  ]);
  const delegate = deployer.create(compound.CErc20Delegate);
  const common = (symbol: TokenSymbol, name: string): unknown[] => [
    comptroller,
    rateModel,
    initialExchangeRate(symbol),
    `Compound Devnet ${name}`,
    `m${name}`,
    MTOKEN_DECIMALS,
    owner,
  ];
  const create = (symbol: TokenSymbol): string =>
    deployer.create(compound.CErc20Delegator, [
      tokens[symbol].address,
      ...common(symbol, symbol),
      delegate,
      '0x',
    ]);
  return {
    mTokens: { WETH: create('WETH'), USDC: create('USDC'), cbETH: create('cbETH'), cbBTC: create('cbBTC') },
    mNative: deployer.create(compound.CEther, common('WETH', 'ETH')),
  };
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
