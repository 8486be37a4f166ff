/** The child of the memory measurement: follows many pools, says what that takes, and ends. */
import { FollowedBook } from './followed.js';
import { manyPools } from './many-pools.js';
import { swapLogs, type MemoryUse } from './pools.js';

/** As many as the book remembers, each with some swaps. */
const BLOCKS = 256;
const LOGS = 20;

// The parent process is gone.
process.once('disconnect', () => process.exit());
const count = Number(process.argv[2]);
/** Exported, so that it lives as long as the process. */
export const followed = await FollowedBook.of(manyPools(count));
const addresses = [...followed.book.watched.keys()];
for (let block = 0; block < BLOCKS && count > 0; block++)
  await followed.apply(followed.next(swapLogs(addresses, LOGS, block)));
globalThis.gc?.();
const { heapUsed, external, rss } = process.memoryUsage();
const use: MemoryUse = { heapMb: (heapUsed + external) / 1e6, residentMb: rss / 1e6 };
process.send?.(use, () => process.exit());
