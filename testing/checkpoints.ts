import { MemoryCache } from '../src/cache/index.js';
import { CheckpointsRepository } from '../src/database/index.js';
import { CheckpointStore } from '../src/state/checkpoint-store.js';
import { TestDatabase } from './database.js';
import { RecordedEvents } from './fakes/recorded-events.js';

/** A database with its checkpoints, which survive an engine as they survive a process. */
export interface Checkpoints {
  /** As a new process has it. @param chainId what is kept of another chain is not seen; default 31337. */
  open(chainId?: number): CheckpointStore;
  stop(): Promise<void>;
}

export async function startCheckpoints(): Promise<Checkpoints> {
  const database = await TestDatabase.start();
  const cache = new MemoryCache();
  const stores: CheckpointStore[] = [];
  return {
    open: (chainId = 31_337) => {
      const store = new CheckpointStore(
        new CheckpointsRepository(database.database, chainId),
        cache,
        new RecordedEvents(),
      );
      stores.push(store);
      return store;
    },
    stop: async () => {
      for (const store of stores) await store.settled();
      await database.stop();
    },
  };
}
