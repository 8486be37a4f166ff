/** Deploys Aave 3.0.2 from its own sources, beside the 3.6 of the local chain: other pool, same tokens. */
import { ZeroAddress, getCreateAddress } from 'ethers';
import { artifactOf } from '../artifacts/artifacts.js';
import type { Artifact, Artifacts } from '../artifacts/compile.js';
import {
  EMODE,
  FLASH_LOAN_PREMIUM_BPS,
  LIQUIDATION_PROTOCOL_FEE_BPS,
  TOKENS,
  TOKEN_SYMBOLS,
  type TokenSymbol,
} from '../parameters.js';
import { AAVE_TREASURY, type ListedToken } from './aave.js';
import type { Deployer } from './deployer.js';

export interface OldAaveAddresses {
  addressesProvider: string;
  pool: string;
  poolConfigurator: string;
  oracle: string;
}

const BASE_CURRENCY_UNIT = 10n ** 8n;
const RAY_OF_ONE_BPS = 10n ** 23n;

/** What the old market has that the new one does not. */
export interface OldAaveOptions {
  /** A feed that gives every asset of the e-mode one price. */
  readonly eModePriceFeed?: string;
}

/**
 * The address under which the oracle knows {@link OldAaveOptions.eModePriceFeed}. It is no token and has no
 * code, as Aave allows.
 */
export const E_MODE_PRICE_SOURCE = '0xe0de00000000000000000000000000000000e0de';

/** Queues the deployment with all tokens listed in the order of TOKEN_SYMBOLS. */
export function deployOldAave(
  deployer: Deployer,
  artifacts: Artifacts,
  tokens: Readonly<Record<TokenSymbol, ListedToken>>,
  { eModePriceFeed }: OldAaveOptions = {},
): OldAaveAddresses {
  const libraries: Record<string, string> = {};
  const create = (name: string, ...args: unknown[]): string =>
    deployer.createLinked(artifacts, name, args, libraries);
  const abi = (name: string): Artifact['abi'] => artifactOf(artifacts, name).abi;

  const addressesProvider = create('PoolAddressesProvider', 'Chimera old market', deployer.address);
  const setOnProvider = (method: string, address: string): void =>
    deployer.call(addressesProvider, abi('PoolAddressesProvider'), method, [address]);
  const sources = TOKEN_SYMBOLS.map((symbol) => [tokens[symbol].address, tokens[symbol].feed] as const);
  const priced = [...sources, ...(eModePriceFeed ? [[E_MODE_PRICE_SOURCE, eModePriceFeed] as const] : [])];
  const oracle = create(
    'AaveOracle',
    addressesProvider,
    priced.map(([asset]) => asset),
    priced.map(([, feed]) => feed),
    ZeroAddress,
    ZeroAddress,
    BASE_CURRENCY_UNIT,
  );
  setOnProvider('setPriceOracle', oracle);
  setOnProvider('setACLAdmin', deployer.address);
  const aclManager = create('ACLManager', addressesProvider);
  setOnProvider('setACLManager', aclManager);
  deployer.call(aclManager, abi('ACLManager'), 'addPoolAdmin', [deployer.address]);
  setOnProvider('setPoolImpl', create('Pool', addressesProvider));
  setOnProvider('setPoolConfiguratorImpl', create('PoolConfigurator'));
  // The provider creates both proxies itself; a contract's first nonce is 1.
  const pool = getCreateAddress({ from: addressesProvider, nonce: 1 });
  const poolConfigurator = getCreateAddress({ from: addressesProvider, nonce: 2 });

  const configure = (method: string, ...args: unknown[]): void =>
    deployer.call(poolConfigurator, abi('PoolConfigurator'), method, args);
  const [aToken, stable, variable] = ['AToken', 'StableDebtToken', 'VariableDebtToken'].map((name) =>
    create(name, pool),
  );
  configure(
    'initReserves',
    TOKEN_SYMBOLS.map((symbol) => ({
      aTokenImpl: aToken,
      stableDebtTokenImpl: stable,
      variableDebtTokenImpl: variable,
      underlyingAssetDecimals: TOKENS[symbol].decimals,
      interestRateStrategyAddress: createStrategy(create, addressesProvider, symbol),
      underlyingAsset: tokens[symbol].address,
      treasury: AAVE_TREASURY,
      incentivesController: ZeroAddress,
      aTokenName: `Old ${symbol}`,
      aTokenSymbol: `aOld${symbol}`,
      variableDebtTokenName: `Old variable debt ${symbol}`,
      variableDebtTokenSymbol: `variableDebtOld${symbol}`,
      stableDebtTokenName: `Old stable debt ${symbol}`,
      stableDebtTokenSymbol: `stableDebtOld${symbol}`,
      params: '0x',
    })),
  );
  for (const symbol of TOKEN_SYMBOLS) {
    const { address } = tokens[symbol];
    const { ltvBps, liquidationThresholdBps, liquidationBonusBps, reserveFactorBps } = TOKENS[symbol];
    configure('configureReserveAsCollateral', address, ltvBps, liquidationThresholdBps, liquidationBonusBps);
    configure('setReserveBorrowing', address, true);
    configure('setReserveFactor', address, reserveFactorBps);
    configure('setLiquidationProtocolFee', address, LIQUIDATION_PROTOCOL_FEE_BPS);
    configure('setReserveFlashLoaning', address, true);
  }
  // Before 3.2 a reserve names its e-mode, and is its collateral and its debt.
  const { id, ltvBps, liquidationThresholdBps, liquidationBonusBps, label } = EMODE;
  const priceSource = eModePriceFeed ? E_MODE_PRICE_SOURCE : ZeroAddress;
  configure('setEModeCategory', id, ltvBps, liquidationThresholdBps, liquidationBonusBps, priceSource, label);
  for (const symbol of EMODE.collaterals) configure('setAssetEModeCategory', tokens[symbol].address, id);
  configure('updateFlashloanPremiumTotal', FLASH_LOAN_PREMIUM_BPS);
  return { addressesProvider, pool, poolConfigurator, oracle };
}

function createStrategy(
  create: (name: string, ...args: unknown[]) => string,
  addressesProvider: string,
  symbol: TokenSymbol,
): string {
  const { optimalUsageRatio, baseVariableBorrowRate, variableRateSlope1, variableRateSlope2 } =
    TOKENS[symbol].rate;
  const variable = [optimalUsageRatio, baseVariableBorrowRate, variableRateSlope1, variableRateSlope2];
  const stable = [variableRateSlope1, variableRateSlope2, 100, 800, 2_000];
  const rays = [...variable, ...stable].map((bps) => BigInt(bps) * RAY_OF_ONE_BPS);
  return create('DefaultReserveInterestRateStrategy', addressesProvider, ...rays);
}
