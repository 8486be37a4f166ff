/** The child of the memory measurement: holds many pools, says what that takes, and ends. */
import { manyPools } from './many-pools.js';
import type { MemoryUse } from './pools.js';

// The parent process is gone.
process.once('disconnect', () => process.exit());
/** Exported, so that it lives as long as the process. */
export const kept = manyPools(Number(process.argv[2]));
globalThis.gc?.();
const { heapUsed, external, rss } = process.memoryUsage();
const use: MemoryUse = {
  heapMb: (heapUsed + external) / 1e6,
  residentMb: rss / 1e6,
  ticks: kept.reduce((sum, { state }) => sum + state.ticks.size, 0),
};
process.send?.(use, () => process.exit());
