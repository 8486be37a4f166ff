/** Deploys Uniswap v3 from the packages' artifacts and fills full-range pools at the feeds' prices. */
import { AbiCoder, MaxUint256, ZeroAddress, getCreate2Address, keccak256 } from 'ethers';
import type { DevnetArtifacts } from '../artifacts/artifacts.js';
import type { Deployer } from './deployer.js';
import { type PoolParameters, TOKENS, TOKEN_SYMBOLS, type TokenSymbol } from '../parameters.js';
import type { Supplier } from './supplier.js';
import { sqrtPriceX96 } from '../prices/uniswap-price.js';

export interface UniswapAddresses {
  uniswapFactory: string;
  positionManager: string;
  swapRouter: string;
  quoter: string;
}

/** A pool of two tokens, in the order of their addresses. */
export interface PoolPair {
  token0: TokenSymbol;
  token1: TokenSymbol;
  address: string;
}

/** A Uniswap v3 pool of the local chain. */
export interface DevnetPool extends PoolPair {
  /** Hundredths of a basis point. */
  fee: number;
}

/** A Uniswap factory and the position manager that adds liquidity to its pools. */
export type Exchange = Pick<UniswapAddresses, 'uniswapFactory' | 'positionManager'>;

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
 * Queues the creation of pools at the initial prices, and of their full-range liquidity, paid by the
 * supplier.
 * @param depthUsd8 worth of each side of each pool, USD with 8 decimals
 */
export function fillPools(
  supplier: Supplier,
  artifacts: DevnetArtifacts,
  { uniswapFactory, positionManager }: Exchange,
  pools: readonly PoolParameters[],
  depthUsd8: bigint,
): DevnetPool[] {
  const { tokens } = supplier;
  const { abi } = artifacts.uniswap.NonfungiblePositionManager;
  for (const symbol of TOKEN_SYMBOLS) supplier.approve(symbol, positionManager);
  return pools.map(({ tokens: pair, fee }) => {
    const [token0, token1] = sorted(pair, tokens);
    const address0 = tokens[token0].address;
    const address1 = tokens[token1].address;
    const [first, second] = [TOKENS[token0], TOKENS[token1]];
    supplier.call(positionManager, abi, 'createAndInitializePoolIfNecessary', [
      address0,
      address1,
      fee,
      sqrtPriceX96(first.decimals, second.decimals, first.initialPriceUsd8, second.initialPriceUsd8),
    ]);
    const spacing = TICK_SPACING[fee];
    if (spacing === undefined) throw new Error(`no tick spacing for the fee ${fee}`);
    const tick = Math.floor(MAX_TICK / spacing) * spacing;
    const mint = {
      token0: address0,
      token1: address1,
      fee,
      tickLower: -tick,
      tickUpper: tick,
      amount0Desired: supplier.worth(token0, depthUsd8),
      amount1Desired: supplier.worth(token1, depthUsd8),
      amount0Min: 0n,
      amount1Min: 0n,
      recipient: supplier.address,
      deadline: MaxUint256,
    };
    supplier.call(positionManager, abi, 'mint', [mint]);
    return {
      token0,
      token1,
      fee,
      address: poolAddress(artifacts, uniswapFactory, [address0, address1, fee]),
    };
  });
}

/** As PoolAddress.computeAddress, by which the position manager finds the pool. */
function poolAddress(artifacts: DevnetArtifacts, factory: string, key: readonly unknown[]): string {
  const salt = keccak256(AbiCoder.defaultAbiCoder().encode(['address', 'address', 'uint24'], key));
  return getCreate2Address(factory, salt, keccak256(artifacts.uniswap.UniswapV3Pool.bytecode));
}

/** The two tokens in the order of their addresses. */
export function sorted(
  [a, b]: readonly [TokenSymbol, TokenSymbol],
  tokens: Readonly<Record<TokenSymbol, { address: string }>>,
): [TokenSymbol, TokenSymbol] {
  return BigInt(tokens[a].address) < BigInt(tokens[b].address) ? [a, b] : [b, a];
}
