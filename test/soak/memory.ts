/** Whether the memory of a process grows, from samples of its resident size. */
import type { MemorySample } from './fleet.js';

export interface MemoryReport {
  /** Medians, bytes: after the warm-up, and at the end. */
  readonly warmBytes: number;
  readonly lastBytes: number;
  /** Of the second against the first, hundredths of a percent. */
  readonly growthBps: number;
  /** How long the process was watched after its warm-up. Seconds. */
  readonly seconds: number;
}

/** The first fifth of its life a process fills its pools and caches; it is at least two minutes. */
const WARM_UP_SHARE = 0.2;
const WARM_UP_LEAST_MS = 120_000;
/** Of what comes after the warm-up, the first and the last quarter are compared. */
const COMPARED_SHARE = 0.25;
const FEWEST_SAMPLES = 60;

/** Of the process that ran longest; undefined when it did not run long enough to judge. */
export function memoryOf(samples: readonly MemorySample[]): MemoryReport | undefined {
  const pids = [...new Set(samples.map(({ pid }) => pid))];
  const all = pids
    .map((pid) => samples.filter((sample) => sample.pid === pid))
    .reduce<readonly MemorySample[]>((longest, one) => (one.length > longest.length ? one : longest), []);
  const [first, last] = [all[0], all.at(-1)];
  if (!first || !last) return undefined;
  const warmUpMs = Math.max(WARM_UP_LEAST_MS, WARM_UP_SHARE * (last.atMs - first.atMs));
  const warm = all.filter(({ atMs }) => atMs - first.atMs >= warmUpMs);
  const compared = Math.floor(warm.length * COMPARED_SHARE);
  if (compared < FEWEST_SAMPLES) return undefined;
  const warmBytes = median(warm.slice(0, compared));
  const lastBytes = median(warm.slice(-compared));
  return {
    warmBytes,
    lastBytes,
    growthBps: Math.round(((lastBytes - warmBytes) * 10_000) / warmBytes),
    seconds: Math.round((last.atMs - (warm[0]?.atMs ?? last.atMs)) / 1_000),
  };
}

function median(samples: readonly MemorySample[]): number {
  const sorted = samples.map(({ bytes }) => bytes).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
