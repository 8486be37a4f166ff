/** What the logs of a block cost, applied to pools in memory, and what pools take of the memory. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SeededRandom } from '../../devnet/random.js';
import { uintAt, uintWord, type Address, type Hex } from '../../src/domain/hex.js';
import type { ConcentratedPool } from '../../src/liquidity/concentrated/concentrated-pool.js';
import { tickAtSqrtRatio } from '../../src/liquidity/concentrated/tick-math.js';
import { randomPrice } from '../../testing/builders/concentrated-pools.js';
import type { Measurement } from '../measurement.js';
import { manyPools } from './many-pools.js';
import { median, timed } from './timing.js';

const POOLS = 300;
const LOGS = 500;
const BLOCKS = 60;
const HELD_POOLS = 2_000;
const TIMEOUT_MS = 120_000;

interface SwapLog {
  readonly address: Address;
  readonly data: Hex;
}

export function block(progress: (step: string) => void): Measurement[] {
  progress(`applying blocks of ${LOGS} swap logs to ${POOLS} pools`);
  const random = new SeededRandom(7);
  const pools = new Map(manyPools(POOLS).map((pool) => [pool.address, pool]));
  const addresses = [...pools.keys()];
  const blocks = Array.from({ length: BLOCKS }, () =>
    Array.from({ length: LOGS }, () => swapLog(addresses[random.integer(0, POOLS - 1)] as Address, random)),
  );
  const took = blocks.map((logs) => timed(() => apply(pools, logs)));
  const note = `${LOGS} swap logs decoded and applied to ${POOLS} pools in a Map`;
  return [{ name: 'pools.block', value: median(took), unit: 'ms', note }];
}

/** Each log makes another pool; the former ones are what an undo would need. */
function apply(
  pools: Map<Address, ConcentratedPool>,
  logs: readonly SwapLog[],
): Map<Address, ConcentratedPool> {
  const former = new Map<Address, ConcentratedPool>();
  for (const { address, data } of logs) {
    const pool = pools.get(address);
    if (!pool) continue;
    if (!former.has(address)) former.set(address, pool);
    const tick = Number(BigInt.asIntN(24, uintAt(data, 4)));
    pools.set(address, pool.afterSwapLog(uintAt(data, 2), uintAt(data, 3), tick));
  }
  return former;
}

/** The data of the event Swap: amount0, amount1, sqrtPriceX96, liquidity, tick. */
function swapLog(address: Address, random: SeededRandom): SwapLog {
  const sqrtPriceX96 = randomPrice(random);
  const tick = BigInt.asUintN(256, BigInt(tickAtSqrtRatio(sqrtPriceX96)));
  const words = [10n ** 18n, BigInt.asUintN(256, -(10n ** 18n)), sqrtPriceX96, 10n ** 21n, tick];
  return { address, data: `0x${words.map(uintWord).join('')}` };
}

export async function memory(progress: (step: string) => void): Promise<Measurement[]> {
  progress(`holding ${HELD_POOLS} pools in a process of its own`);
  const [empty, full] = [await useOf(0), await useOf(HELD_POOLS)];
  const value = Number((full.heapMb - empty.heapMb).toPrecision(3));
  const resident = Math.round(full.residentMb - empty.residentMb);
  const note = `${HELD_POOLS} pools with ${full.ticks / HELD_POOLS} ticks each, on the heap; ${resident} MB of the process`;
  return [{ name: 'pools.memory', value, unit: 'MB', note }];
}

/** What the child says. MB as 10^6 bytes. */
export interface MemoryUse {
  readonly heapMb: number;
  readonly residentMb: number;
  readonly ticks: number;
}

/** A process of its own, so that nothing else's garbage counts. */
function useOf(pools: number): Promise<MemoryUse> {
  const child = fork(fileURLToPath(new URL('memory-process.ts', import.meta.url)), [String(pools)], {
    execArgv: [...process.execArgv, '--expose-gc'],
    timeout: TIMEOUT_MS,
  });
  return new Promise((resolve, reject) => {
    child.once('message', (use) => resolve(use as MemoryUse));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the process that held pools ended with ${String(code)}`)));
  });
}
