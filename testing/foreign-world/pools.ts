/** The pools of the foreign world: all kinds, narrow ranges, and many pairs without a pool of their own. */
import type { Devnet } from '../../devnet/index.js';
import { sqrtPriceX96 } from '../../devnet/prices/uniswap-price.js';
import type { SeededRandom } from '../../devnet/random.js';
import type { Address } from '../../src/domain/hex.js';
import type { ConcentratedKind, PoolWorld } from '../pool-world.js';
import { send } from '../send.js';
import { unitsWorth, type ForeignSymbol, type ForeignToken, type ForeignTokens } from './tokens.js';

export interface ForeignPool {
  readonly kind: ConcentratedKind | 'volatile' | 'stable';
  readonly address: Address;
  /** Of Aerodrome v2: it cannot be bought from before it is paid. */
  readonly reserves: boolean;
  /** In the order of the contract. */
  readonly tokens: readonly [ForeignToken, ForeignToken];
}

type Pair = readonly [ForeignSymbol, ForeignSymbol];
/** The number is a fee in pips, of Slipstream the spacing of ticks. */
type Layout = readonly [ForeignPool['kind'], Pair, number];

const LAYOUT: readonly Layout[] = [
  ['uniswap-v3', ['WETH', 'USDX'], 500],
  ['slipstream', ['WETH', 'USDX'], 100],
  ['pancake-v3', ['WETH', 'USDX'], 100],
  ['uniswap-v3', ['USDX', 'USDC'], 100],
  ['stable', ['USDX', 'USDC'], 5],
  ['pancake-v3', ['WETH', 'OLDE'], 500],
  ['uniswap-v3', ['OLDE', 'USDX'], 3_000],
  ['pancake-v3', ['OLDE', 'GOLD'], 10_000],
  ['uniswap-v3', ['BTCX', 'WETH'], 3_000],
  ['slipstream', ['BTCX', 'USDX'], 200],
  ['pancake-v3', ['BTCX', 'USDC'], 2_500],
  ['uniswap-v3', ['BTCX', 'GOLD'], 10_000],
  ['uniswap-v3', ['EURO', 'USDX'], 500],
  ['slipstream', ['EURO', 'USDX'], 1],
  ['volatile', ['EURO', 'USDX'], 30],
  ['uniswap-v3', ['GIGA', 'WETH'], 10_000],
  ['slipstream', ['COPR', 'WETH'], 200],
  ['pancake-v3', ['COPR', 'GOLD'], 2_500],
  ['uniswap-v3', ['GOLD', 'USDX'], 3_000],
  ['slipstream', ['GOLD', 'WETH'], 50],
  // Two hops and more to any debt.
  ['uniswap-v3', ['MESH', 'EURO'], 3_000],
  ['volatile', ['MESH', 'FARM'], 30],
  ['pancake-v3', ['FARM', 'USDX'], 2_500],
  ['uniswap-v3', ['FARM', 'WETH'], 10_000],
  // Three hops to stable debt.
  ['slipstream', ['MIDL', 'COPR'], 200],
  // Four.
  ['uniswap-v3', ['DEEP', 'MIDL'], 3_000],
  // The only roads of a token that are worth anything do not call back.
  ['volatile', ['VAMM', 'USDX'], 30],
  ['volatile', ['VAMM', 'USDC'], 100],
];

/** Fee and spacing of the tiers that the factories of the local chain lack. */
const MORE_UNISWAP_TIERS = [[100, 1]] as const;
const SLIPSTREAM_TIERS = [
  [100, 1],
  [250, 50],
  [700, 100],
  [3_000, 200],
] as const;
const UNISWAP_SPACING: Readonly<Record<number, number>> = {
  100: 1,
  500: 10,
  2_500: 50,
  3_000: 60,
  10_000: 200,
};

/** Creates all pools, near the prices after the step. */
export async function createPools(
  world: PoolWorld,
  tokens: ForeignTokens,
  random: SeededRandom,
): Promise<ForeignPool[]> {
  await enableTiers(world.devnet);
  const pools: ForeignPool[] = [];
  for (const [kind, pair, parameter] of LAYOUT) {
    const [token0, token1] = sorted(pair, tokens);
    const isReserves = kind === 'volatile' || kind === 'stable';
    const address = await (isReserves
      ? createReserves(world, [token0, token1], kind === 'stable', parameter, random)
      : createConcentrated(world, [token0, token1], kind, parameter, random));
    pools.push({ kind, address, reserves: isReserves, tokens: [token0, token1] });
  }
  return pools;
}

async function enableTiers(devnet: Devnet): Promise<void> {
  const { uniswapFactory, slipstreamFactory } = devnet.contracts;
  const { deployer } = devnet.accounts;
  const innerAddress = (await slipstreamFactory.getFunction('inner')()) as string;
  const inner = uniswapFactory.attach(innerAddress) as typeof uniswapFactory;
  for (const [feePips, spacing] of MORE_UNISWAP_TIERS)
    await send(devnet, deployer, uniswapFactory, 'enableFeeAmount', feePips, spacing);
  for (const [feePips, spacing] of SLIPSTREAM_TIERS) {
    if (((await inner.getFunction('feeAmountTickSpacing')(feePips)) as bigint) === 0n)
      await send(devnet, deployer, inner, 'enableFeeAmount', feePips, spacing);
    const known = (await slipstreamFactory.getFunction('tickSpacingToFee')(spacing)) as bigint;
    if (known === 0n) await send(devnet, deployer, slipstreamFactory, 'enableTickSpacing', spacing, feePips);
  }
}

/** Two ranges around the price, one of them narrow, and sometimes one beside it. */
async function createConcentrated(
  world: PoolWorld,
  [token0, token1]: readonly [ForeignToken, ForeignToken],
  kind: ConcentratedKind,
  parameter: number,
  random: SeededRandom,
): Promise<Address> {
  const slipstream = SLIPSTREAM_TIERS.find(([, spacing]) => spacing === parameter);
  const tier =
    kind === 'slipstream'
      ? { feePips: slipstream?.[0] ?? 3_000, tickSpacing: parameter }
      : { feePips: parameter, tickSpacing: UNISWAP_SPACING[parameter] ?? 60 };
  const pool = await world.concentrated(
    kind,
    [token0.address, token1.address],
    tier,
    sqrtPriceX96(
      token0.decimals,
      token1.decimals,
      (token0.priceUsd8 * BigInt(random.integer(9_970, 10_030))) / 10_000n,
      token1.priceUsd8,
    ),
  );
  const { tick } = pool.state;
  const { tickSpacing } = tier;
  const base = Math.floor(tick / tickSpacing) * tickSpacing;
  const narrow = Math.max(1, Math.round(random.magnitude(40, 400) / tickSpacing));
  const wide = Math.max(narrow + 1, Math.round(random.magnitude(1_000, 8_000) / tickSpacing));
  const usd = random.magnitude(8_000, 250_000);
  const range = (below: number, above: number, share: number) => {
    const [tickLower, tickUpper] = [base - below * tickSpacing, base + above * tickSpacing];
    return {
      pool: pool.address,
      tickLower,
      tickUpper,
      liquidity: liquidityWorth(token1, usd * share, tick, Math.min(tickLower, tick - 1)),
    };
  };
  const ranges = [range(narrow, narrow, 0.7), range(wide, wide, 0.3)];
  await world.provide(ranges);
  return pool.address;
}

/** Liquidity of a range from `lower` to above the price, whose units of token1 are worth so much. */
function liquidityWorth(token1: ForeignToken, usd: number, tick: number, lower: number): bigint {
  const root = (at: number): number => 1.0001 ** (at / 2);
  const units = Number(unitsWorth(token1, usd));
  return BigInt(Math.max(1, Math.floor(units / (root(tick) - root(lower)))));
}

async function createReserves(
  world: PoolWorld,
  [token0, token1]: readonly [ForeignToken, ForeignToken],
  stable: boolean,
  feeBps: number,
  random: SeededRandom,
): Promise<Address> {
  const usd = random.magnitude(150_000, 600_000);
  const { address } = await world.solidly(
    [token0.address, token1.address],
    stable,
    [unitsWorth(token0, usd), unitsWorth(token1, usd)],
    feeBps,
  );
  return address;
}

function sorted([a, b]: Pair, tokens: ForeignTokens): readonly [ForeignToken, ForeignToken] {
  const [first, second] = [tokens.get(a), tokens.get(b)];
  if (!first || !second) throw new Error(`no such token: ${a} or ${b}`);
  return first.address < second.address ? [first, second] : [second, first];
}
