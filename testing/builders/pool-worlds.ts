/** Markets of many pools at random: tokens with prices, pools near them, liquidations paid from them. */
import { SeededRandom } from '../../devnet/random.js';
import type { Address } from '../../src/domain/hex.js';
import { ConcentratedPool } from '../../src/liquidity/concentrated/concentrated-pool.js';
import { sqrtRatioAtTick, tickAtSqrtRatio } from '../../src/liquidity/concentrated/tick-math.js';
import { TickTable } from '../../src/liquidity/concentrated/tick-table.js';
import type { Pool } from '../../src/liquidity/pool.js';
import type { Sized, Trade } from '../../src/routes/trade.js';
import { ConstantProductPool } from '../fakes/constant-product-pool.js';

export interface WorldToken {
  readonly address: Address;
  /** USD for one unit. */
  readonly unitUsd: number;
}

export interface PoolWorld {
  readonly tokens: readonly WorldToken[];
  readonly pools: readonly Pool[];
}

export interface WorldSize {
  readonly tokens: number;
  readonly pools: number;
  /** How likely a pool is a concentrated one. */
  readonly concentrated: number;
  /** How likely a pool does not lend. */
  readonly unlending?: number;
  /** USD on one side of a pool: least and most. */
  readonly depthUsd?: readonly [number, number];
}

const FEES_PIPS = [100, 500, 3_000, 10_000];
const SPACINGS: Readonly<Record<number, number>> = { 100: 1, 500: 10, 3_000: 60, 10_000: 200 };

/** The first two tokens are hubs, which half of the pools have. */
export function poolWorld(random: SeededRandom, size: WorldSize): PoolWorld {
  const tokens = Array.from({ length: size.tokens }, (_, index): WorldToken => {
    const decimals = [6, 8, 12, 18, 24][random.integer(0, 4)] ?? 18;
    return { address: addressOf(random, index), unitUsd: random.magnitude(0.1, 50_000) / 10 ** decimals };
  });
  const pools = Array.from({ length: size.pools }, (_, index) => {
    const hub = random.chance(0.5) ? random.integer(0, 1) : random.integer(0, size.tokens - 1);
    const other = (hub + random.integer(1, size.tokens - 1)) % size.tokens;
    return poolBetween(random, tokens[hub]!, tokens[other]!, addressOf(random, index), size);
  });
  return { tokens, pools };
}

function poolBetween(
  random: SeededRandom,
  one: WorldToken,
  another: WorldToken,
  address: Address,
  { concentrated, unlending = 0, depthUsd = [2e4, 5e6] }: WorldSize,
): Pool {
  const [first, second] = one.address < another.address ? [one, another] : [another, one];
  const feePips = FEES_PIPS[random.integer(0, 3)] ?? 500;
  const depth = random.magnitude(...depthUsd);
  const amount0 = depth / first.unitUsd;
  const amount1 = (depth / second.unitUsd) * random.between(0.997, 1.003);
  const tokens = [first.address, second.address] as const;
  if (!random.chance(concentrated))
    return new ConstantProductPool(
      address,
      tokens,
      [BigInt(Math.ceil(amount0)), BigInt(Math.ceil(amount1))],
      feePips,
      !random.chance(unlending),
    );
  return concentratedPool(random, address, tokens, Math.sqrt(amount1 / amount0), amount0, feePips);
}

/** Ranges of many widths around the price; between some of them there is nothing. */
function concentratedPool(
  random: SeededRandom,
  address: Address,
  tokens: readonly [Address, Address],
  ratio: number,
  amount0: number,
  feePips: number,
): ConcentratedPool {
  const tickSpacing = SPACINGS[feePips] ?? 1;
  const tick = Math.floor(Math.log(ratio ** 2) / Math.log(1.0001));
  const sqrtPriceX96 = sqrtRatioAtTick(tick) + 1n;
  let pool = new ConcentratedPool({
    ...{ address, tokens, venue: 'uniswap-v3', parameter: feePips, feePips, tickSpacing, sqrtPriceX96 },
    ...{ tick: tickAtSqrtRatio(sqrtPriceX96), liquidity: 0n, ticks: TickTable.of([], tickSpacing) },
  });
  for (let position = random.integer(1, 8); position > 0; position -= 1) {
    const width = Math.ceil(random.magnitude(200, 20_000) / tickSpacing) * tickSpacing;
    const lower = Math.round((tick - width * random.between(0.1, 0.9)) / tickSpacing) * tickSpacing;
    const liquidity = (amount0 * ratio) / 4 / (1.0001 ** (width / 4) - 1);
    pool = pool.afterLiquidityLog(lower, lower + width, BigInt(Math.ceil(liquidity)));
  }
  return pool;
}

/** A liquidation between two tokens of a world: its bonus is 3 to 10 %, and dust may not be left. */
export function randomTrade(random: SeededRandom, { tokens }: PoolWorld, notionalUsd: number): Trade {
  const collateral = random.integer(0, tokens.length - 1);
  const debt = (collateral + random.integer(1, tokens.length - 1)) % tokens.length;
  return tradeOf(random, tokens[collateral]!, tokens[debt]!, notionalUsd);
}

export function tradeOf(
  random: SeededRandom,
  collateral: WorldToken,
  debt: WorldToken,
  notionalUsd: number,
): Trade {
  const most = BigInt(Math.ceil(notionalUsd / debt.unitUsd));
  const bonus = random.between(1.03, 1.1);
  const rate = BigInt(Math.round((debt.unitUsd / collateral.unitUsd) * bonus * 2 ** 100));
  const leavesMinimum = random.chance(0.3) ? (most * 85n) / 100n : most;
  const size = (debtToCover: bigint): Sized | undefined =>
    debtToCover > leavesMinimum && debtToCover < most
      ? undefined
      : { debtToFund: debtToCover, collateralSeized: (debtToCover * rate) >> 100n };
  const [from, to] = [collateral.address, debt.address];
  return { collateral: from, debt: to, least: most / 1_000n + 1n, most, edges: [leavesMinimum], size };
}

function addressOf(random: SeededRandom, index: number): Address {
  const word = (): string =>
    random
      .integer(0, 2 ** 32 - 1)
      .toString(16)
      .padStart(8, '0');
  return `0x${word()}${word()}${word()}${word()}${index.toString(16).padStart(8, '0')}`;
}
