/**
 * A local chain with the real Aave v3.6, Uniswap v3 and Chainlink-style feeds, for the demo and the tests. It is no part of
 * the production build, and nothing in src/ may import it.
 */
import { loadArtifacts } from './artifacts.js';
import { Devnet, type DevnetOptions } from './devnet.js';

export type { Accounts, DevnetAddresses, DevnetPool, DevnetToken, DevnetTokens } from './deploy.js';
export type { AccountData, DevnetContracts, DevnetOptions } from './devnet.js';
export { Devnet, operatorPrivateKey } from './devnet.js';
export { AAVE_TREASURY } from './deploy-aave.js';
export type { CollateralAmount, PositionRequest, TokenAmount } from './positions.js';
export type { PriceOptions } from './market.js';
export { RpcError } from './rpc.js';
export { TransactionFailed } from './transactions.js';
export {
  BASE_FEE_FLOOR_WEI,
  EMODE,
  FLASH_LOAN_PREMIUM_BPS,
  LIQUIDATION_PROTOCOL_FEE_BPS,
  type Prices,
  TOKENS,
  TOKEN_SYMBOLS,
  type TokenSymbol,
  UNISWAP_POOLS,
  amountWorth,
  initialPrices,
  worthOf,
} from './parameters.js';
export {
  type Borrower,
  type BorrowerKind,
  demoBorrowers,
  healthFactorWad,
  randomBorrowers,
} from './borrowers.js';
export { DEMO_SCENARIO, type ScenarioStep, playStep, pricesAfter } from './scenario.js';

/**
 * Starts a local chain and deploys the market. About a second once the contracts are compiled, about 20 s the first time.
 * Stop it with stop(); it also ends with this process, however that ends.
 */
export function startDevnet(options: DevnetOptions = {}): Promise<Devnet> {
  return Devnet.start(options);
}

/** Compiles what is not in the cache yet, for a set-up step that several test processes share. */
export async function prepareDevnet(onProgress?: (step: string) => void): Promise<void> {
  await loadArtifacts(onProgress);
}
