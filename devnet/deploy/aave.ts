/** Deploys Aave v3.6 from its own sources: libraries, pool, configurator, oracle, reserves, eMode. */
import { AbiCoder, ZeroAddress, getCreateAddress } from 'ethers';
import { type DevnetArtifacts, artifactOf } from '../artifacts/artifacts.js';
import type { Artifact } from '../artifacts/compile.js';
import type { Deployer } from './deployer.js';
import {
  AAVE_LIQUIDITY_USD8,
  EMODE,
  FLASH_LOAN_PREMIUM_BPS,
  LIQUIDATION_PROTOCOL_FEE_BPS,
  TOKENS,
  TOKEN_SYMBOLS,
  type TokenSymbol,
} from '../parameters.js';
import type { Supplier } from './supplier.js';

export interface AaveAddresses {
  addressesProvider: string;
  pool: string;
  poolConfigurator: string;
  aclManager: string;
  oracle: string;
  dataProvider: string;
}

/** What Aave needs to know of a token. */
export interface ListedToken {
  address: string;
  feed: string;
}

/** Receives liquidation fees and reserve income; its key is not known. */
export const AAVE_TREASURY = '0xaa7e000000000000000000000000000000000001';

/** USD with 8 decimals is Aave's base currency on every market but a few old ones. */
const BASE_CURRENCY_UNIT = 10n ** 8n;

/**
 * The ABI of the pool: that of PoolInstance (L2Pool overloads names) with every error of the protocol.
 * The pool itself is an L2PoolInstance.
 */
export function poolAbi(artifacts: DevnetArtifacts): Artifact['abi'] {
  return [...artifactOf(artifacts.aave, 'PoolInstance').abi, ...artifactOf(artifacts.aave, 'Errors').abi];
}

/** Queues the deployment of Aave with all tokens listed in the order of TOKEN_SYMBOLS. */
export function deployAave(
  deployer: Deployer,
  artifacts: DevnetArtifacts,
  tokens: Readonly<Record<TokenSymbol, ListedToken>>,
): AaveAddresses {
  const { aave } = artifacts;
  const libraries: Record<string, string> = {};
  const create = (name: string, ...args: unknown[]): string =>
    deployer.createLinked(aave, name, args, libraries);
  const abi = (name: string): Artifact['abi'] => artifactOf(aave, name).abi;

  const addressesProvider = create('PoolAddressesProvider', 'Chimera devnet market', deployer.address);
  const setOnProvider = (method: string, address: string): void =>
    deployer.call(addressesProvider, abi('PoolAddressesProvider'), method, [address]);

  const strategy = create('DefaultReserveInterestRateStrategyV2', addressesProvider);
  const poolImplementation = create('L2PoolInstance', addressesProvider, strategy);
  const configuratorImplementation = create('PoolConfiguratorInstance');
  const oracle = create(
    'AaveOracle',
    addressesProvider,
    TOKEN_SYMBOLS.map((symbol) => tokens[symbol].address),
    TOKEN_SYMBOLS.map((symbol) => tokens[symbol].feed),
    ZeroAddress,
    ZeroAddress,
    BASE_CURRENCY_UNIT,
  );
  setOnProvider('setPriceOracle', oracle);
  setOnProvider('setACLAdmin', deployer.address);
  const aclManager = create('ACLManager', addressesProvider);
  setOnProvider('setACLManager', aclManager);
  deployer.call(aclManager, abi('ACLManager'), 'addPoolAdmin', [deployer.address]);
  deployer.call(aclManager, abi('ACLManager'), 'addEmergencyAdmin', [deployer.address]);
  setOnProvider('setPoolImpl', poolImplementation);
  setOnProvider('setPoolConfiguratorImpl', configuratorImplementation);
  // The provider creates both proxies itself; a contract's first nonce is 1.
  const pool = getCreateAddress({ from: addressesProvider, nonce: 1 });
  const poolConfigurator = getCreateAddress({ from: addressesProvider, nonce: 2 });
  const dataProvider = create('AaveProtocolDataProvider', addressesProvider);
  setOnProvider('setPoolDataProvider', dataProvider);

  const configure = (method: string, ...args: unknown[]): void =>
    deployer.call(poolConfigurator, abi('PoolConfiguratorInstance'), method, args);
  configure(
    'initReserves',
    listings(
      tokens,
      create('ATokenInstance', pool, ZeroAddress, AAVE_TREASURY),
      create('VariableDebtTokenInstance', pool, ZeroAddress),
    ),
  );
  for (const symbol of TOKEN_SYMBOLS) configureReserve(configure, symbol, tokens[symbol].address);
  configureEMode(configure, tokens);
  configure('updateFlashloanPremium', FLASH_LOAN_PREMIUM_BPS);
  return { addressesProvider, pool, poolConfigurator, aclManager, oracle, dataProvider };
}

/** Queues the supplier's loans of every token. */
export function supplyAave(supplier: Supplier, artifacts: DevnetArtifacts, { pool }: AaveAddresses): void {
  const abi = poolAbi(artifacts);
  for (const symbol of TOKEN_SYMBOLS) {
    supplier.approve(symbol, pool);
    const amount = supplier.worth(symbol, AAVE_LIQUIDITY_USD8);
    const { address } = supplier.tokens[symbol];
    supplier.call(pool, abi, 'supply', [address, amount, supplier.address, 0]);
  }
}

type Configure = (method: string, ...args: unknown[]) => void;

function configureReserve(configure: Configure, symbol: TokenSymbol, address: string): void {
  const { ltvBps, liquidationThresholdBps, liquidationBonusBps, reserveFactorBps } = TOKENS[symbol];
  configure('configureReserveAsCollateral', address, ltvBps, liquidationThresholdBps, liquidationBonusBps);
  configure('setReserveBorrowing', address, true);
  configure('setReserveFactor', address, reserveFactorBps);
  configure('setLiquidationProtocolFee', address, LIQUIDATION_PROTOCOL_FEE_BPS);
  configure('setReserveFlashLoaning', address, true);
}

/** Since 3.2 an eMode category lists its collaterals and its borrowable assets in two bitmaps. */
function configureEMode(configure: Configure, tokens: Readonly<Record<TokenSymbol, ListedToken>>): void {
  const { id, ltvBps, liquidationThresholdBps, liquidationBonusBps, label } = EMODE;
  configure('setEModeCategory', id, ltvBps, liquidationThresholdBps, liquidationBonusBps, label);
  for (const symbol of EMODE.collaterals)
    configure('setAssetCollateralInEMode', tokens[symbol].address, id, true);
  for (const symbol of EMODE.borrowables)
    configure('setAssetBorrowableInEMode', tokens[symbol].address, id, true);
}

function listings(
  tokens: Readonly<Record<TokenSymbol, ListedToken>>,
  aTokenImplementation: string,
  debtTokenImplementation: string,
): object[] {
  return TOKEN_SYMBOLS.map((symbol) => ({
    aTokenImpl: aTokenImplementation,
    variableDebtTokenImpl: debtTokenImplementation,
    underlyingAsset: tokens[symbol].address,
    aTokenName: `Aave Devnet ${symbol}`,
    aTokenSymbol: `aDev${symbol}`,
    variableDebtTokenName: `Aave Devnet Variable Debt ${symbol}`,
    variableDebtTokenSymbol: `variableDebtDev${symbol}`,
    params: '0x',
    interestRateData: rateData(symbol),
  }));
}

/** IDefaultInterestRateStrategyV2.InterestRateData, every field in basis points. */
function rateData(symbol: TokenSymbol): string {
  const { optimalUsageRatio, baseVariableBorrowRate, variableRateSlope1, variableRateSlope2 } =
    TOKENS[symbol].rate;
  return AbiCoder.defaultAbiCoder().encode(
    ['tuple(uint16,uint32,uint32,uint32)'],
    [[optimalUsageRatio, baseVariableBorrowRate, variableRateSlope1, variableRateSlope2]],
  );
}
