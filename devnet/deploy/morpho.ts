/** Deploys Morpho Blue with its adaptive-curve rate model and opens markets over the feeds. */
import { AbiCoder, keccak256 } from 'ethers';
import { type DevnetArtifacts, artifactOf } from '../artifacts/artifacts.js';
import type { PlainTokens } from './tokens.js';
import type { Deployer } from './deployer.js';
import {
  MORPHO_LIQUIDITY_USD8,
  MORPHO_LLTV_WAD,
  MORPHO_MARKETS,
  TOKEN_SYMBOLS,
  type TokenSymbol,
} from '../parameters.js';
import type { Supplier } from './supplier.js';

/** Morpho's MarketParams, with which its functions name a market. */
export interface MorphoMarketParams {
  loanToken: string;
  collateralToken: string;
  oracle: string;
  irm: string;
  /** Wad. */
  lltv: bigint;
}

/** A Morpho market of the local chain. */
export interface MorphoMarket {
  collateral: TokenSymbol;
  loan: TokenSymbol;
  params: MorphoMarketParams;
  /** The hash of params, with which events and mappings name a market. */
  id: string;
}

export interface MorphoAddresses {
  morpho: string;
  morphoIrm: string;
  morphoMarkets: readonly MorphoMarket[];
}

/** Queues the deployment of Morpho, its rate model, and the oracle and creation of each market. */
export function deployMorpho(
  deployer: Deployer,
  artifacts: DevnetArtifacts,
  tokens: PlainTokens,
): MorphoAddresses {
  const morpho = deployer.create(artifacts.morpho, [deployer.address]);
  const morphoIrm = deployer.create(artifacts.morphoIrm, [morpho]);
  const call = (method: string, ...args: unknown[]): void =>
    deployer.call(morpho, artifacts.morpho.abi, method, args);
  call('enableIrm', morphoIrm);
  call('enableLltv', MORPHO_LLTV_WAD);
  const morphoMarkets = MORPHO_MARKETS.map(({ collateral, loan }): MorphoMarket => {
    const oracle = deployer.create(artifactOf(artifacts.own, 'MorphoFeedOracle'), [
      tokens[collateral].feed,
      tokens[loan].feed,
      tokens[collateral].decimals,
      tokens[loan].decimals,
    ]);
    const params = {
      loanToken: tokens[loan].address,
      collateralToken: tokens[collateral].address,
      oracle,
      irm: morphoIrm,
      lltv: MORPHO_LLTV_WAD,
    };
    call('createMarket', params);
    return { collateral, loan, params, id: marketId(params) };
  });
  return { morpho, morphoIrm, morphoMarkets };
}

/** MarketParamsLib.id */
function marketId({ loanToken, collateralToken, oracle, irm, lltv }: MorphoMarketParams): string {
  const types = ['address', 'address', 'address', 'address', 'uint256'];
  return keccak256(AbiCoder.defaultAbiCoder().encode(types, [loanToken, collateralToken, oracle, irm, lltv]));
}

/**
 * Queues the supplier's loans to every market. It leaves collateral there as well, so that Morpho, which
 * lends out in flash loans all it has, has every token.
 */
export function supplyMorpho(
  supplier: Supplier,
  artifacts: DevnetArtifacts,
  { morpho, morphoMarkets }: MorphoAddresses,
): void {
  const { abi } = artifacts.morpho;
  for (const symbol of TOKEN_SYMBOLS) supplier.approve(symbol, morpho);
  for (const { collateral, loan, params } of morphoMarkets) {
    const lent = supplier.worth(loan, MORPHO_LIQUIDITY_USD8);
    supplier.call(morpho, abi, 'supply', [params, lent, 0n, supplier.address, '0x']);
    const left = supplier.worth(collateral, MORPHO_LIQUIDITY_USD8);
    supplier.call(morpho, abi, 'supplyCollateral', [params, left, supplier.address, '0x']);
  }
}
