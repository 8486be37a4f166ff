/**
 * A local chain with real lenders (Aave v3.6, Compound v2, Morpho Blue), Uniswap v3, the Balancer v2 vault,
 * stand-ins for Aerodrome and Chainlink-style feeds, for the demo and the tests. It is no part of the
 * production build, and nothing in src/ may import it.
 */
import { loadArtifacts } from './artifacts/artifacts.js';
import { Devnet, type DevnetOptions } from './devnet.js';

export type { Accounts, DevnetAddresses, DevnetToken, DevnetTokens } from './deploy/deployment.js';
export type { SlipstreamPool, SolidlyPool } from './deploy/aerodrome.js';
export type { DevnetPool } from './deploy/uniswap.js';
export type { DevnetContracts } from './connect.js';
export type { AccountData, DevnetOptions } from './devnet.js';
export { Devnet, operatorPrivateKey } from './devnet.js';
export { AAVE_TREASURY } from './deploy/aave.js';
export type { MorphoMarket, MorphoMarketParams } from './deploy/morpho.js';
export type {
  CompoundAmount,
  CompoundAsset,
  CompoundPositionRequest,
  MorphoPositionRequest,
} from './borrowers/other-positions.js';
export type { CollateralAmount, PositionRequest, TokenAmount } from './borrowers/aave-positions.js';
export type { PriceOptions } from './prices/market.js';
export { RpcError } from './chain/rpc.js';
export { TransactionFailed } from './chain/transactions.js';
export type { BlockReceipt, BlockTransaction } from './chain/written-blocks.js';
export {
  BASE_FEE_FLOOR_WEI,
  COMPOUND,
  EMODE,
  FLASH_LOAN_PREMIUM_BPS,
  LIQUIDATION_PROTOCOL_FEE_BPS,
  MORPHO_LLTV_WAD,
  MORPHO_MARKETS,
  type Prices,
  SLIPSTREAM_POOLS,
  SOLIDLY_POOLS,
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
} from './borrowers/borrowers.js';
export { DEMO_SCENARIO, type ScenarioStep, playStep, pricesAfter } from './prices/scenario.js';

/**
 * Starts a local chain and deploys the market. About a second once the contracts are compiled, about 20 s the
 * first time. Stop it with stop(); it also ends with this process, however that ends.
 */
export function startDevnet(options: DevnetOptions = {}): Promise<Devnet> {
  return Devnet.start(options);
}

/** Compiles what is not in the cache yet, for a set-up step that several test processes share. */
export async function prepareDevnet(onProgress?: (step: string) => void): Promise<void> {
  await loadArtifacts(onProgress);
}
