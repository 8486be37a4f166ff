import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryCache } from '../../src/cache/index.js';
import {
  CheckpointsRepository,
  createDataSource,
  Database,
  migrate,
  startEmbeddedPostgres,
} from '../../src/database/index.js';
import { CheckpointStore } from '../../src/state/checkpoint-store.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';

/** A database with its checkpoints, which survive an engine as they survive a process. */
export interface Checkpoints {
  /** An engine as a new process has it. */
  open(): CheckpointStore;
  stop(): Promise<void>;
}

export async function startCheckpoints(): Promise<Checkpoints> {
  const directory = await mkdtemp(join(tmpdir(), 'chimera-property-'));
  await chmod(directory, 0o755); // PostgreSQL refuses root: another user has to reach its directory.
  const postgres = await startEmbeddedPostgres({ dataDir: join(directory, 'postgres') });
  const { host, port, user, password, database } = postgres;
  await migrate({ host, port, user, password, database });
  const dataSource = createDataSource({ host, port, user, password, database });
  await dataSource.initialize();
  const cache = new MemoryCache();
  const stores: CheckpointStore[] = [];
  return {
    open: () => {
      const store = new CheckpointStore(
        new CheckpointsRepository(new Database(dataSource)),
        cache,
        new RecordedEvents(),
      );
      stores.push(store);
      return store;
    },
    stop: async () => {
      for (const store of stores) await store.settled();
      await dataSource.destroy();
      await postgres.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
