/**
 * Deploys stand-ins for the two exchanges of Aerodrome, Slipstream and the Solidly-style v2, and fills their
 * pools.
 */
import { ZeroAddress, getCreateAddress } from 'ethers';
import { type DevnetArtifacts, artifactOf } from '../artifacts/artifacts.js';
import { type DevnetPool, type Exchange, type PoolPair, fillPools, sorted } from './uniswap.js';
import type { Deployer } from './deployer.js';
import { SLIPSTREAM_POOLS, SOLIDLY_POOLS } from '../parameters.js';
import type { Supplier } from './supplier.js';

export interface AerodromeAddresses {
  /** Knows the pools by their tick spacing. */
  slipstreamFactory: string;
  solidlyFactory: string;
}

/** A Slipstream pool: a real Uniswap v3 pool, but not one of addresses.uniswapFactory. */
export interface SlipstreamPool extends DevnetPool {
  tickSpacing: number;
}

/** A Solidly-style pool, the stand-in for Aerodrome v2's. */
export interface SolidlyPool extends PoolPair {
  /** False: the curve is x*y. */
  stable: boolean;
}

/** Queues the deployment of both factories. @returns them, and the Uniswap factory behind Slipstream's */
export function deployAerodrome(
  deployer: Deployer,
  { uniswap, predeploys, own }: DevnetArtifacts,
): { aerodrome: AerodromeAddresses; slipstream: Exchange } {
  const uniswapFactory = deployer.create(uniswap.UniswapV3Factory);
  const positionManager = deployer.create(uniswap.NonfungiblePositionManager, [
    uniswapFactory,
    predeploys.weth.address,
    ZeroAddress,
  ]);
  const slipstreamFactory = deployer.create(artifactOf(own, 'SlipstreamFactory'), [uniswapFactory]);
  const solidlyFactory = deployer.create(artifactOf(own, 'SolidlyFactory'));
  return {
    aerodrome: { slipstreamFactory, solidlyFactory },
    slipstream: { uniswapFactory, positionManager },
  };
}

/**
 * Queues the creation of the Slipstream pools and their full-range liquidity.
 * @param depthUsd8 worth of each side of each pool, USD with 8 decimals
 */
export function fillSlipstream(
  supplier: Supplier,
  artifacts: DevnetArtifacts,
  { slipstreamFactory }: AerodromeAddresses,
  slipstream: Exchange,
  depthUsd8: bigint,
): SlipstreamPool[] {
  const { abi } = artifactOf(artifacts.own, 'SlipstreamFactory');
  const { tokens } = supplier;
  return SLIPSTREAM_POOLS.flatMap(({ tickSpacing, ...pool }) =>
    fillPools(supplier, artifacts, slipstream, [pool], depthUsd8).map((filled) => {
      const { token0, token1 } = filled;
      supplier.call(slipstreamFactory, abi, 'createPool', [
        tokens[token0].address,
        tokens[token1].address,
        tickSpacing,
      ]);
      return { ...filled, tickSpacing };
    }),
  );
}

/** Queues the creation of the Solidly-style pools and their liquidity, which is given to them, not lent. */
export function fillSolidly(
  supplier: Supplier,
  artifacts: DevnetArtifacts,
  { solidlyFactory }: AerodromeAddresses,
  depthUsd8: bigint,
): SolidlyPool[] {
  const factoryAbi = artifactOf(artifacts.own, 'SolidlyFactory').abi;
  const poolAbi = artifactOf(artifacts.own, 'SolidlyPool').abi;
  return SOLIDLY_POOLS.map((pair, i) => {
    const [token0, token1] = sorted(pair, supplier.tokens);
    const [address0, address1] = [supplier.tokens[token0].address, supplier.tokens[token1].address];
    supplier.call(solidlyFactory, factoryAbi, 'createPool', [address0, address1, false]);
    const address = getCreateAddress({ from: solidlyFactory, nonce: i + 1 }); // a contract's first nonce is 1
    for (const symbol of pair) supplier.transfer(symbol, address, supplier.worth(symbol, depthUsd8));
    supplier.call(address, poolAbi, 'sync', []);
    return { token0, token1, stable: false, address };
  });
}
