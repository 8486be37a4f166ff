/** Deploys Uniswap v3 from the packages' artifacts and fills full-range pools at the feeds' prices. */
import { MaxUint256, ZeroAddress } from 'ethers';
import type { DevnetArtifacts } from './artifacts.js';
import type { Deployer } from './deployer.js';
import { TOKENS, type TokenSymbol, UNISWAP_POOLS, amountWorth, initialPrices } from './parameters.js';
import { sqrtPriceX96 } from './uniswap-price.js';

export interface UniswapAddresses {
  uniswapFactory: string;
  positionManager: string;
  swapRouter: string;
  quoter: string;
}

/** Tokens of a pool in the order of their addresses, as Uniswap sorts them. */
export interface PoolKey {
  token0: TokenSymbol;
  token1: TokenSymbol;
  /** Hundredths of a basis point. */
  fee: number;
}

/** UniswapV3Factory's tick spacings of the fee tiers in use. */
const TICK_SPACING: Record<number, number> = { 100: 1, 500: 10, 3000: 60, 10000: 200 };
const MAX_TICK = 887_272;

/** Queues the deployment of factory, position manager, router and quoter. */
export function deployUniswap(deployer: Deployer, artifacts: DevnetArtifacts): UniswapAddresses {
  const { uniswap, predeploys } = artifacts;
  const weth = predeploys.weth.address;
  const uniswapFactory = deployer.create(uniswap.UniswapV3Factory);
  // No token descriptor: it only draws the picture of a position.
  const positionManager = deployer.create(uniswap.NonfungiblePositionManager, [
    uniswapFactory,
    weth,
    ZeroAddress,
  ]);
  const swapRouter = deployer.create(uniswap.SwapRouter02, [
    ZeroAddress,
    uniswapFactory,
    positionManager,
    weth,
  ]);
  const quoter = deployer.create(uniswap.QuoterV2, [uniswapFactory, weth]);
  return { uniswapFactory, positionManager, swapRouter, quoter };
}

/**
 * Queues the creation of every pool at the initial prices, and its full-range liquidity, paid by the supplier.
 * @param depthUsd8 worth of each side of each pool, USD with 8 decimals
 */
export function fillPools(
  deployer: Deployer,
  artifacts: DevnetArtifacts,
  positionManager: string,
  tokens: Readonly<Record<TokenSymbol, { address: string }>>,
  supplier: string,
  depthUsd8: bigint,
): PoolKey[] {
  const { abi } = artifacts.uniswap.NonfungiblePositionManager;
  const prices = initialPrices();
  return UNISWAP_POOLS.map(({ tokens: pair, fee }) => {
    const [token0, token1] = sorted(pair, tokens);
    const address0 = tokens[token0].address;
    const address1 = tokens[token1].address;
    const price = sqrtPriceX96(
      TOKENS[token0].decimals,
      TOKENS[token1].decimals,
      prices[token0],
      prices[token1],
    );
    const from = supplier;
    deployer.call(
      positionManager,
      abi,
      'createAndInitializePoolIfNecessary',
      [address0, address1, fee, price],
      { from },
    );
    const spacing = TICK_SPACING[fee];
    if (spacing === undefined) throw new Error(`no tick spacing for the fee ${fee}`);
    const tick = Math.floor(MAX_TICK / spacing) * spacing;
    const mint = {
      token0: address0,
      token1: address1,
      fee,
      tickLower: -tick,
      tickUpper: tick,
      amount0Desired: amountWorth(token0, depthUsd8, prices[token0]),
      amount1Desired: amountWorth(token1, depthUsd8, prices[token1]),
      amount0Min: 0n,
      amount1Min: 0n,
      recipient: supplier,
      deadline: MaxUint256,
    };
    deployer.call(positionManager, abi, 'mint', [mint], { from });
    return { token0, token1, fee };
  });
}

function sorted(
  [a, b]: readonly [TokenSymbol, TokenSymbol],
  tokens: Readonly<Record<TokenSymbol, { address: string }>>,
): [TokenSymbol, TokenSymbol] {
  return BigInt(tokens[a].address) < BigInt(tokens[b].address) ? [a, b] : [b, a];
}
