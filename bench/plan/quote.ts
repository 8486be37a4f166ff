/** What a route of three hops costs to quote: in memory, and by QuoterV2 on a chain without any delay. */
import { AbiCoder, solidityPacked, toQuantity } from 'ethers';
import { startDevnet } from '../../devnet/index.js';
import { SeededRandom } from '../../devnet/random.js';
import type { Address } from '../../src/domain/hex.js';
import type { ConcentratedPool } from '../../src/liquidity/concentrated/concentrated-pool.js';
import { Q96 } from '../../src/liquidity/concentrated/tick-math.js';
import { randomPosition } from '../../testing/builders/concentrated-pools.js';
import { afterLogs, PoolWorld } from '../../testing/pool-world.js';
import type { Measurement } from '../measurement.js';
import { median, timed } from './timing.js';

const SEED = 7;
/** The tiers that the factory has from the start. */
const TIERS = [
  { feePips: 500, tickSpacing: 10 },
  { feePips: 3_000, tickSpacing: 60 },
  { feePips: 500, tickSpacing: 10 },
];
const POSITIONS = 30;
const BATCHES = 60;
const QUOTES_A_BATCH = 200;
const BASELINE_QUOTES = 60;
/** From a thousandth to ten of a token with 18 decimals: what stays in range, and what crosses ticks. */
const amount = (random: SeededRandom): bigint => BigInt(Math.floor(random.magnitude(1e15, 1e19)));

export async function quote(progress: (step: string) => void): Promise<Measurement[]> {
  progress('starting a chain with three pools of some 60 ticks each');
  const devnet = await startDevnet();
  try {
    const world = await PoolWorld.start(devnet, [18, 18, 18, 18]);
    const random = new SeededRandom(SEED);
    const path = world.tokens.map(({ address }) => address);
    const pools: ConcentratedPool[] = [];
    for (const [index, tier] of TIERS.entries())
      pools.push(await filled(world, random, [path[index], path[index + 1]] as [Address, Address], tier));
    const fees = TIERS.map(({ feePips }) => feePips);
    const packed = solidityPacked(
      ['address', 'uint24', 'address', 'uint24', 'address', 'uint24', 'address'],
      path.flatMap((token, index) => [token, ...fees.slice(index, index + 1)]),
    );

    progress(`quoting ${BASELINE_QUOTES} times by QuoterV2`);
    const { quoter } = devnet.contracts;
    const theirs: number[] = [];
    for (let index = 0; index < BASELINE_QUOTES; index++) {
      const amountIn = amount(random);
      const data = quoter.interface.encodeFunctionData('quoteExactInput', [packed, amountIn]);
      const call = { to: await quoter.getAddress(), data, gas: toQuantity(100_000_000) };
      const start = performance.now();
      const answer = await devnet.rpc('eth_call', [call, 'latest']);
      theirs.push((performance.now() - start) * 1_000);
      const [amountOut] = AbiCoder.defaultAbiCoder().decode(['uint256'], String(answer)) as unknown as [
        bigint,
      ];
      if (outputOf(pools, path, amountIn) !== amountOut)
        throw new Error(`QuoterV2 gives ${amountOut} for ${amountIn}, we do not`);
    }

    progress(`quoting ${BATCHES * QUOTES_A_BATCH} times in memory`);
    const amounts = Array.from({ length: QUOTES_A_BATCH }, () => amount(random));
    const batch = (): void => amounts.forEach((amountIn) => void outputOf(pools, path, amountIn));
    const ours = Array.from({ length: BATCHES }, () => (timed(batch) * 1_000) / QUOTES_A_BATCH);
    const ticks = pools.map(({ state }) => state.ticks.size).join(', ');
    const of = `exact input over three Uniswap v3 pools of ${ticks} ticks, the same outputs`;
    return [
      { name: 'quote.threeHops', value: median(ours), unit: 'µs', note: `in memory, ${of}` },
      {
        name: 'quote.threeHops.baseline',
        value: median(theirs),
        unit: 'µs',
        note: `QuoterV2 by eth_call, ${of}`,
      },
    ];
  } finally {
    await devnet.stop();
  }
}

async function filled(
  world: PoolWorld,
  random: SeededRandom,
  pair: readonly [Address, Address],
  tier: (typeof TIERS)[number],
): Promise<ConcentratedPool> {
  const pool = await world.concentrated('uniswap-v3', pair, tier, Q96 + 1n);
  const positions = Array.from({ length: POSITIONS }, () => ({
    pool: pool.address,
    ...randomPosition(random, 0, tier.tickSpacing, [19, 21]),
  }));
  return afterLogs(pool, await world.provide(positions));
}

function outputOf(pools: readonly ConcentratedPool[], path: readonly Address[], amountIn: bigint): bigint {
  let held = amountIn;
  for (const [index, pool] of pools.entries()) {
    const swap = pool.swapIn(path[index] as Address, held);
    if (!swap) return 0n;
    held = swap.amountOut;
  }
  return held;
}
