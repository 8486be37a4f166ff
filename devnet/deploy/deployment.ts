/** What is on the local chain after the deployment: accounts, addresses, tokens and pools. */
import type { TokenSymbol } from '../parameters.js';
import type { AaveAddresses } from './aave.js';
import type { AerodromeAddresses, SlipstreamPool, SolidlyPool } from './aerodrome.js';
import type { CompoundAddresses } from './compound.js';
import type { MorphoAddresses } from './morpho.js';
import type { PlainToken } from './tokens.js';
import type { PancakeAddresses } from './pancake.js';
import type { DevnetPool, UniswapAddresses } from './uniswap.js';

/** Accounts of the local chain, all from anvil's well-known test mnemonic. */
export interface Accounts {
  /** Deploys and owns everything. */
  deployer: string;
  /** Sends liquidations; an executor of the Chimera contract. */
  operator: string;
  /** Receives Chimera's profit. */
  treasury: string;
  /** Moves the market. */
  trader: string;
  /** Fills lenders and exchanges, and gives borrowers their collateral. */
  supplier: string;
}

/** A token of the local chain, as Aave lists it. */
export interface DevnetToken extends PlainToken {
  aToken: string;
  variableDebtToken: string;
  /** Index in Aave's list of reserves, and bit in its bitmaps. */
  reserveId: number;
}

export type DevnetTokens = Record<TokenSymbol, DevnetToken>;

export interface DevnetAddresses
  extends
    AaveAddresses,
    UniswapAddresses,
    CompoundAddresses,
    MorphoAddresses,
    AerodromeAddresses,
    PancakeAddresses {
  balancerVault: string;
  multicall3: string;
  gasPriceOracle: string;
  l1Block: string;
  /** The proxy of the ETH/USD feed. */
  nativeUsdFeed: string;
  chimera: string;
  marketMover: string;
}

export interface Deployment {
  addresses: DevnetAddresses;
  tokens: DevnetTokens;
  pools: DevnetPool[];
  slipstreamPools: SlipstreamPool[];
  solidlyPools: SolidlyPool[];
}
