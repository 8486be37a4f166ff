/** The deployed contracts as ethers contracts. */
import { Contract, type JsonRpcProvider } from 'ethers';
import { type DevnetArtifacts, artifactOf } from './artifacts/artifacts.js';
import type { DevnetAddresses } from './deploy/deployment.js';
import { poolAbi } from './deploy/aave.js';

/** Every deployed contract with its ABI, read through the provider. */
export interface DevnetContracts {
  aavePool: Contract;
  poolConfigurator: Contract;
  addressesProvider: Contract;
  aclManager: Contract;
  oracle: Contract;
  dataProvider: Contract;
  comptroller: Contract;
  compoundOracle: Contract;
  /** With Morpho's events. */
  morpho: Contract;
  morphoIrm: Contract;
  balancerVault: Contract;
  uniswapFactory: Contract;
  quoter: Contract;
  swapRouter: Contract;
  positionManager: Contract;
  slipstreamFactory: Contract;
  solidlyFactory: Contract;
  pancakeFactory: Contract;
  multicall3: Contract;
  gasPriceOracle: Contract;
  l1Block: Contract;
  chimera: Contract;
}

/** Connects every contract to the provider. */
export function connect(
  artifacts: DevnetArtifacts,
  addresses: DevnetAddresses,
  provider: JsonRpcProvider,
): DevnetContracts {
  const { uniswap, pancake, compound, predeploys, multicall3, chimera } = artifacts;
  const own = (address: string, name: string): Contract =>
    new Contract(address, artifactOf(artifacts.own, name).abi, provider);
  const aave = (address: string, name: string): Contract =>
    new Contract(address, artifactOf(artifacts.aave, name).abi, provider);
  return {
    aavePool: new Contract(addresses.pool, poolAbi(artifacts), provider),
    poolConfigurator: aave(addresses.poolConfigurator, 'PoolConfiguratorInstance'),
    addressesProvider: aave(addresses.addressesProvider, 'PoolAddressesProvider'),
    aclManager: aave(addresses.aclManager, 'ACLManager'),
    oracle: aave(addresses.oracle, 'AaveOracle'),
    dataProvider: aave(addresses.dataProvider, 'AaveProtocolDataProvider'),
    comptroller: new Contract(addresses.comptroller, compound.Comptroller.abi, provider),
    compoundOracle: own(addresses.compoundOracle, 'FeedPriceOracle'),
    morpho: new Contract(addresses.morpho, artifacts.morpho.abi, provider),
    morphoIrm: new Contract(addresses.morphoIrm, artifacts.morphoIrm.abi, provider),
    balancerVault: new Contract(addresses.balancerVault, artifacts.balancerVault.abi, provider),
    uniswapFactory: new Contract(addresses.uniswapFactory, uniswap.UniswapV3Factory.abi, provider),
    quoter: new Contract(addresses.quoter, uniswap.QuoterV2.abi, provider),
    swapRouter: new Contract(addresses.swapRouter, uniswap.SwapRouter02.abi, provider),
    positionManager: new Contract(
      addresses.positionManager,
      uniswap.NonfungiblePositionManager.abi,
      provider,
    ),
    slipstreamFactory: own(addresses.slipstreamFactory, 'SlipstreamFactory'),
    solidlyFactory: own(addresses.solidlyFactory, 'SolidlyFactory'),
    pancakeFactory: new Contract(addresses.pancakeFactory, pancake.PancakeV3Factory.abi, provider),
    multicall3: new Contract(addresses.multicall3, multicall3.abi, provider),
    gasPriceOracle: new Contract(addresses.gasPriceOracle, predeploys.gasPriceOracle.abi, provider),
    l1Block: new Contract(addresses.l1Block, predeploys.l1Block.abi, provider),
    chimera: new Contract(addresses.chimera, chimera.abi, provider),
  };
}
