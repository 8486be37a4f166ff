/** Which contracts the local chain is made of and where they come from. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getAddress } from 'ethers';
import { MULTICALL3 } from '../../src/rpc/chain/multicall3.js';
import {
  type Artifact,
  type Artifacts,
  type CompilationUnit,
  NODE_MODULES,
  PROJECT_ROOT,
  compiled,
  shippedArtifact,
} from './compile.js';

const AAVE_SOURCES = '@aave-dao/aave-v3-origin/src/contracts';

const AAVE: CompilationUnit = {
  name: 'aave-v3',
  files: [
    'instances/L2PoolInstance.sol',
    'instances/PoolConfiguratorInstance.sol',
    'instances/ATokenInstance.sol',
    'instances/VariableDebtTokenInstance.sol',
    'protocol/configuration/PoolAddressesProvider.sol',
    'protocol/configuration/ACLManager.sol',
    'misc/AaveOracle.sol',
    'misc/DefaultReserveInterestRateStrategyV2.sol',
    'helpers/AaveProtocolDataProvider.sol',
  ].map((file) => `${AAVE_SOURCES}/${file}`),
  contracts: [
    'L2PoolInstance',
    'PoolConfiguratorInstance',
    'ATokenInstance',
    'VariableDebtTokenInstance',
    'PoolAddressesProvider',
    'ACLManager',
    'AaveOracle',
    'DefaultReserveInterestRateStrategyV2',
    'AaveProtocolDataProvider',
    'PoolLogic',
    'SupplyLogic',
    'BorrowLogic',
    'FlashLoanLogic',
    'LiquidationLogic',
    'ConfiguratorLogic',
  ],
  // L2Pool overloads supply, borrow and others, which ethers cannot tell apart by name; PoolInstance does
  // not.
  interfaces: ['PoolInstance', 'Errors'],
  roots: [NODE_MODULES],
  remappings: [
    'openzeppelin-contracts/contracts/=@openzeppelin/contracts/',
    'openzeppelin-contracts-upgradeable/contracts/=@openzeppelin/contracts-upgradeable/',
  ],
  evmVersion: 'shanghai',
  optimizerRuns: 200,
  packages: [
    '@aave-dao/aave-v3-origin',
    '@openzeppelin/contracts',
    '@openzeppelin/contracts-upgradeable',
    '@bgd-labs/solidity-utils',
  ],
  sourceDirectories: [],
};

/** Those of our own contracts that a test may put on the chain beside the market. */
export type DeployableContract =
  | 'AggregatorProxy'
  | 'DualAggregator'
  | 'DynamicFeeModule'
  | 'ForeignToken'
  | 'MintableToken'
  | 'OevWrapper'
  | 'PoolTrader'
  | 'PreLiquidationFactory'
  | 'PriceCapAdapter'
  | 'SettableAggregator'
  | 'ShareVault'
  | 'SymbolPriceOracle'
  | 'Yardstick';

const OWN_CONTRACTS = [
  'AggregatorProxy',
  'DualAggregator',
  'DynamicFeeModule',
  'FeedPriceOracle',
  'ForeignToken',
  'MarketMover',
  'MintableToken',
  'MorphoFeedOracle',
  'Multicall3Code',
  'OevWrapper',
  'PancakePoolDeployer',
  'PoolTrader',
  'PreLiquidation',
  'PreLiquidationFactory',
  'PriceCapAdapter',
  'SecondsMarket',
  'SettableAggregator',
  'ShareVault',
  'SlipstreamFactory',
  'SolidlyFactory',
  'SymbolPriceOracle',
  'Yardstick',
];

const OWN: CompilationUnit = {
  name: 'devnet',
  files: OWN_CONTRACTS.map((name) => `${name}.sol`),
  contracts: OWN_CONTRACTS,
  interfaces: ['SolidlyPool'],
  roots: [join(PROJECT_ROOT, 'devnet', 'contracts'), NODE_MODULES],
  evmVersion: 'cancun',
  optimizerRuns: 200,
  packages: ['@openzeppelin/contracts', '@eth-optimism/contracts-bedrock'],
  sourceDirectories: [join(PROJECT_ROOT, 'devnet', 'contracts')],
};

const CHIMERA: CompilationUnit = {
  name: 'chimera',
  files: ['contracts/src/Chimera.sol'],
  contracts: ['Chimera'],
  roots: [PROJECT_ROOT, NODE_MODULES],
  evmVersion: 'cancun',
  // As in foundry.toml: what is tested there is what is deployed.
  optimizerRuns: 1000,
  packages: ['@openzeppelin/contracts'],
  sourceDirectories: [join(PROJECT_ROOT, 'contracts', 'src')],
};

const UNISWAP_FILES = {
  UniswapV3Factory: '@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json',
  UniswapV3Pool: '@uniswap/v3-core/artifacts/contracts/UniswapV3Pool.sol/UniswapV3Pool.json',
  NonfungiblePositionManager:
    '@uniswap/v3-periphery/artifacts/contracts/NonfungiblePositionManager.sol/NonfungiblePositionManager.json',
  SwapRouter02: '@uniswap/swap-router-contracts/artifacts/contracts/SwapRouter02.sol/SwapRouter02.json',
  QuoterV2: '@uniswap/swap-router-contracts/artifacts/contracts/lens/QuoterV2.sol/QuoterV2.json',
};

const PANCAKE_ARTIFACTS = '@pancakeswap/v3-core/artifacts/contracts';
const PANCAKE_CONTRACTS = ['PancakeV3Factory', 'PancakeV3Pool'] as const;

const COMPOUND_ARTIFACTS = '@thenextblock/hardhat-compound/dist/artifacts/contracts/compound';
const COMPOUND_CONTRACTS = [
  'Comptroller',
  'Unitroller',
  'CErc20Delegate',
  'CErc20Delegator',
  'CEther',
  'JumpRateModelV2',
] as const;

const MORPHO_FACTORIES = '@morpho-org/morpho-blue-bundlers/types/factories/lib';
const BALANCER_VAULT = '@balancer-labs/v2-deployments/dist/tasks/20210418-vault/artifact/Vault.json';

const OPTIMISM_ARTIFACTS = '@eth-optimism/contracts-bedrock/forge-artifacts';

/** A contract that is there from the first block: set by anvil_setCode, not deployed. */
export interface Predeploy {
  address: string;
  abi: Artifact['abi'];
  /** Runtime code. */
  code: string;
}

/** Everything that is deployed to the local chain. */
export interface DevnetArtifacts {
  aave: Artifacts;
  own: Artifacts;
  chimera: Artifact;
  uniswap: Record<keyof typeof UNISWAP_FILES, Artifact>;
  pancake: Record<(typeof PANCAKE_CONTRACTS)[number], Artifact>;
  compound: Record<(typeof COMPOUND_CONTRACTS)[number], Artifact>;
  /** With the events that Morpho declares in a library, which its own ABI lacks. */
  morpho: Artifact;
  morphoIrm: Artifact;
  balancerVault: Artifact;
  predeploys: Record<'weth' | 'gasPriceOracle' | 'l1Block', Predeploy>;
  /** ABI alone: setMulticall3 puts the code on the chain. */
  multicall3: Pick<Predeploy, 'address' | 'abi'>;
}

/**
 * Loads every artifact, compiling what is not in the cache: about 20 s the first time, then milliseconds.
 * @param onProgress told what is being compiled
 */
export async function loadArtifacts(
  onProgress: (step: string) => void = () => undefined,
): Promise<DevnetArtifacts> {
  // One after the other: two compilers at once would need twice the memory and, on two cores, as much time.
  const own = await compileOwn(onProgress);
  const chimera = await compileChimera(onProgress);
  const aave = await compiled(AAVE, onProgress);
  return {
    own,
    chimera,
    aave,
    uniswap: loadUniswap(),
    pancake: loadPancake(),
    compound: loadCompound(),
    ...loadMorpho(),
    balancerVault: loadShipped('Vault', BALANCER_VAULT),
    predeploys: loadPredeploys(),
    multicall3: {
      address: getAddress(MULTICALL3),
      abi: shippedArtifact(`${OPTIMISM_ARTIFACTS}/IMulticall3.sol/IMulticall3.0.8.26.json`).abi,
    },
  };
}

/** The contracts of devnet/contracts, from the cache or freshly compiled. */
export function compileOwn(onProgress: (step: string) => void = () => undefined): Promise<Artifacts> {
  return compiled(OWN, onProgress);
}

/** The contract of this repository, from the cache or freshly compiled. */
export async function compileChimera(
  onProgress: (step: string) => void = () => undefined,
): Promise<Artifact> {
  return artifactOf(await compiled(CHIMERA, onProgress), 'Chimera');
}

/** The artifact of that name. @throws {Error} when there is none */
export function artifactOf(artifacts: Artifacts, name: string): Artifact {
  const artifact = artifacts[name];
  if (!artifact) throw new Error(`no artifact ${name}`);
  return artifact;
}

function loadShipped(name: string, file: string): Artifact {
  const { abi, bytecode } = shippedArtifact(file);
  return { name, abi, bytecode, links: {} };
}

function loadUniswap(): DevnetArtifacts['uniswap'] {
  const load = (name: keyof typeof UNISWAP_FILES): Artifact => loadShipped(name, UNISWAP_FILES[name]);
  return {
    UniswapV3Factory: load('UniswapV3Factory'),
    UniswapV3Pool: load('UniswapV3Pool'),
    NonfungiblePositionManager: load('NonfungiblePositionManager'),
    SwapRouter02: load('SwapRouter02'),
    QuoterV2: load('QuoterV2'),
  };
}

function loadPancake(): DevnetArtifacts['pancake'] {
  const loaded = PANCAKE_CONTRACTS.map((name) => [
    name,
    loadShipped(name, `${PANCAKE_ARTIFACTS}/${name}.sol/${name}.json`),
  ]);
  return Object.fromEntries(loaded) as DevnetArtifacts['pancake'];
}

function loadCompound(): DevnetArtifacts['compound'] {
  const loaded = COMPOUND_CONTRACTS.map((name) => [
    name,
    loadShipped(name, `${COMPOUND_ARTIFACTS}/${name}.sol/${name}.json`),
  ]);
  return Object.fromEntries(loaded) as DevnetArtifacts['compound'];
}

function loadMorpho(): Pick<DevnetArtifacts, 'morpho' | 'morphoIrm'> {
  const morpho = typechainArtifact('Morpho', 'morpho-blue/src');
  const { abi: events } = typechainArtifact('EventsLib', 'morpho-blue/src/libraries');
  return {
    morpho: { ...morpho, abi: [...morpho.abi, ...events] },
    morphoIrm: typechainArtifact('AdaptiveCurveIrm', 'morpho-blue-irm/src/adaptive-curve-irm'),
  };
}

/**
 * Reads the ABI and the creation code out of a typechain factory; importing it would load a second copy of
 * ethers.
 */
function typechainArtifact(name: string, directory: string): Artifact {
  const file = join(NODE_MODULES, MORPHO_FACTORIES, directory, `${name}__factory.js`);
  const source = readFileSync(file, 'utf8');
  const literal = /const _abi = (\[.*?\n\]);/s.exec(source)?.[1];
  const bytecode = /const _bytecode = "(0x[0-9a-f]+)"/.exec(source)?.[1];
  if (!literal || !bytecode) throw new Error(`${file}: no ABI or no creation code`);
  // A JavaScript literal becomes JSON by quoting its names and dropping its trailing commas.
  const json = literal.replace(/(\w+):/g, '"$1":').replace(/,(?=\s*[\]}])/g, '');
  return { name, abi: JSON.parse(json) as Artifact['abi'], bytecode, links: {} };
}

function loadPredeploys(): DevnetArtifacts['predeploys'] {
  const load = (name: string, address: string): Predeploy => {
    const { abi, deployedBytecode } = shippedArtifact(`${OPTIMISM_ARTIFACTS}/${name}.sol/${name}.json`);
    return { address, abi, code: deployedBytecode };
  };
  return {
    weth: load('WETH', '0x4200000000000000000000000000000000000006'),
    gasPriceOracle: load('GasPriceOracle', '0x420000000000000000000000000000000000000F'),
    l1Block: load('L1Block', '0x4200000000000000000000000000000000000015'),
  };
}
