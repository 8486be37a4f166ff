/**
 * Aave 3.0.2, as the package of its authors has it. Only the tests of old pools need it, so that only these
 * wait for the compiler.
 */
import { type Artifacts, type CompilationUnit, NODE_MODULES, compiled } from './compile.js';

const SOURCES = '@aave/core-v3/contracts';

const OLD_AAVE: CompilationUnit = {
  name: 'aave-v3-old',
  files: [
    'protocol/pool/Pool.sol',
    'protocol/pool/PoolConfigurator.sol',
    'protocol/pool/DefaultReserveInterestRateStrategy.sol',
    'protocol/tokenization/AToken.sol',
    'protocol/tokenization/StableDebtToken.sol',
    'protocol/tokenization/VariableDebtToken.sol',
    'protocol/configuration/PoolAddressesProvider.sol',
    'protocol/configuration/ACLManager.sol',
    'misc/AaveOracle.sol',
  ].map((file) => `${SOURCES}/${file}`),
  contracts: [
    'Pool',
    'PoolConfigurator',
    'DefaultReserveInterestRateStrategy',
    'AToken',
    'StableDebtToken',
    'VariableDebtToken',
    'PoolAddressesProvider',
    'ACLManager',
    'AaveOracle',
    'BorrowLogic',
    'BridgeLogic',
    'ConfiguratorLogic',
    'EModeLogic',
    'FlashLoanLogic',
    'LiquidationLogic',
    'PoolLogic',
    'SupplyLogic',
  ],
  roots: [NODE_MODULES],
  evmVersion: 'shanghai',
  optimizerRuns: 200,
  packages: ['@aave/core-v3'],
  sourceDirectories: [],
};

/** From the cache, or compiled: half a minute. */
export function compileOldAave(onProgress: (step: string) => void = () => undefined): Promise<Artifacts> {
  return compiled(OLD_AAVE, onProgress);
}
