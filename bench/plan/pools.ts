/** What the logs of a block cost, applied to a book of pools, and what pools take of the memory. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SeededRandom } from '../../devnet/random.js';
import { uintWord, type Address } from '../../src/domain/hex.js';
import { tickAtSqrtRatio } from '../../src/liquidity/concentrated/tick-math.js';
import type { RawLog } from '../../src/rpc/chain/chain-answers.js';
import { randomPrice } from '../../testing/builders/concentrated-pools.js';
import type { Measurement } from '../measurement.js';
import { FollowedBook } from './followed.js';
import { manyPools } from './many-pools.js';
import { median } from './timing.js';

const POOLS = 300;
const LOGS = 500;
const BLOCKS = 60;
const HELD_POOLS = 2_000;
const TIMEOUT_MS = 120_000;

type SwapLog = Pick<RawLog, 'address' | 'data'>;

export async function block(progress: (step: string) => void): Promise<Measurement[]> {
  progress(`applying blocks of ${LOGS} swap logs to a book of ${POOLS} pools`);
  const followed = await FollowedBook.of(manyPools(POOLS));
  const addresses = [...followed.book.watched.keys()];
  const took: number[] = [];
  for (let number = 0; number < BLOCKS; number++) {
    const next = followed.next(swapLogs(addresses, LOGS, number));
    const before = performance.now();
    await followed.apply(next);
    took.push(performance.now() - before);
  }
  const note = `${LOGS} swap logs of a block, prepared and committed by a book of ${POOLS} pools`;
  return [{ name: 'pools.block', value: median(took), unit: 'ms', note }];
}

/** Swaps of pools at random. */
export function swapLogs(addresses: readonly Address[], count: number, seed: number): SwapLog[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () =>
    swapLog(addresses[random.integer(0, addresses.length - 1)] as Address, random),
  );
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
  const of = `${HELD_POOLS} pools in a book, with the logs of 256 blocks`;
  const more = (what: keyof MemoryUse): number => Number((full[what] - empty[what]).toPrecision(3));
  const range = `from ${empty.residentMb.toFixed(0)} to ${full.residentMb.toFixed(0)} MB`;
  return [
    { name: 'pools.memory', value: more('heapMb'), unit: 'MB', note: `${of}, on the heap` },
    { name: 'pools.resident', value: more('residentMb'), unit: 'MB', note: `${of}: RSS ${range}` },
  ];
}

/** What the child says. MB as 10^6 bytes. */
export interface MemoryUse {
  readonly heapMb: number;
  readonly residentMb: number;
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
