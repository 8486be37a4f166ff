/** Deploys the tokens, each with its feed, and mints the stock that supplier and market mover need. */
import { type DevnetArtifacts, artifactOf } from '../artifacts/artifacts.js';
import type { Deployer } from './deployer.js';
import {
  AAVE_LIQUIDITY_USD8,
  BALANCER_LIQUIDITY_USD8,
  COMPOUND_LIQUIDITY_USD8,
  MORPHO_LIQUIDITY_USD8,
  MORPHO_MARKETS,
  TOKENS,
  type TokenSymbol,
  amountWorth,
} from '../parameters.js';

/** A token before Aave lists it. */
export interface PlainToken {
  symbol: TokenSymbol;
  address: string;
  decimals: number;
  /** The Chainlink-style proxy, which all protocols read. */
  feed: string;
  /** The aggregator behind the proxy, which emits AnswerUpdated. */
  aggregator: string;
}

/** As on Base, where the feed of bitcoin is one of those whose prices are auctioned. */
const SVR_FEEDS: ReadonlySet<TokenSymbol> = new Set(['cbBTC']);

export type PlainTokens = Record<TokenSymbol, PlainToken>;

/** Queues the creation of the tokens and of a feed for each at its initial price. WETH is a predeploy. */
export function createTokens(
  deployer: Deployer,
  artifacts: DevnetArtifacts,
  marketMover: string,
): PlainTokens {
  const create = (symbol: TokenSymbol): PlainToken => {
    const { name, decimals, initialPriceUsd8 } = TOKENS[symbol];
    const address =
      symbol === 'WETH'
        ? artifacts.predeploys.weth.address
        : deployer.create(artifactOf(artifacts.own, 'MintableToken'), [name, symbol, decimals]);
    const description = `${symbol === 'WETH' ? 'ETH' : symbol} / USD`;
    const kind = SVR_FEEDS.has(symbol) ? 'DualAggregator' : 'SettableAggregator';
    const aggregator = deployer.create(artifactOf(artifacts.own, kind), [
      8,
      description,
      initialPriceUsd8,
      marketMover,
    ]);
    const feed = deployer.create(artifactOf(artifacts.own, 'AggregatorProxy'), [aggregator]);
    return { symbol, address, decimals, feed, aggregator };
  };
  return { WETH: create('WETH'), USDC: create('USDC'), cbETH: create('cbETH'), cbBTC: create('cbBTC') };
}

/**
 * Queues the minting of every token but WETH to the holders.
 * @param stockUsd8 worth of each token for each holder
 */
export function mintTokens(
  deployer: Deployer,
  artifacts: DevnetArtifacts,
  tokens: PlainTokens,
  holders: readonly string[],
  stockUsd8: bigint,
): void {
  const { abi } = artifactOf(artifacts.own, 'MintableToken');
  for (const { symbol, address } of Object.values(tokens)) {
    if (symbol === 'WETH') continue; // wrapped, not minted
    const amount = amountWorth(symbol, stockUsd8, TOKENS[symbol].initialPriceUsd8);
    for (const holder of holders) deployer.call(address, abi, 'mint', [holder, amount]);
  }
}

/**
 * More than all lenders, all pools and any walk of the prices need.
 * @returns USD with 8 decimals, per token
 */
export function stockUsd8(depthUsd8: bigint): bigint {
  const lent =
    AAVE_LIQUIDITY_USD8 +
    COMPOUND_LIQUIDITY_USD8 +
    BigInt(MORPHO_MARKETS.length) * MORPHO_LIQUIDITY_USD8 +
    BALANCER_LIQUIDITY_USD8;
  return 2n * lent + 20n * depthUsd8;
}
