import { Clock } from '../../src/domain/clock.js';
import { Secret } from '../../src/domain/secret.js';
import type { RpcTimings } from '../../src/rpc/endpoints/rpc-options.js';
import { RpcPool } from '../../src/rpc/endpoints/rpc-pool.js';
import { FakeRpc } from './fake-rpc.js';

/** A pool over fake nodes. Only the test causes probes. No deadline ends on a busy machine by itself. */
export interface FakePool {
  readonly pool: RpcPool;
  readonly primary: FakeRpc;
  readonly backup: FakeRpc;
  readonly archive: FakeRpc;
  close(): Promise<void>;
}

export interface FakePoolOptions {
  readonly withBackup?: boolean;
  readonly withArchive?: boolean;
  readonly timings?: Partial<RpcTimings>;
  /** With a test clock, deadlines too end only when the test moves it: see `FakeRpc.onSwallowed`. */
  readonly clock?: Clock;
}

export async function startFakePool(options: FakePoolOptions = {}): Promise<FakePool> {
  const { withBackup = true, withArchive = false, timings, clock = new Clock() } = options;
  const [primary, backup, archive] = await Promise.all([FakeRpc.start(), FakeRpc.start(), FakeRpc.start()]);
  const urls = (fake: FakeRpc): { http: Secret } => ({ http: new Secret(fake.url('http')) });
  const pool = new RpcPool(
    {
      chainId: 31337,
      primary: urls(primary),
      ...(withBackup && { backup: urls(backup) }),
      ...(withArchive && { archive: urls(archive) }),
      timings: {
        deadlineMs: 20_000,
        probeDeadlineMs: 20_000,
        probeIntervalMs: 1e9,
        outOfSyncPauseMs: 5,
        ...timings,
      },
    },
    clock,
  );
  return {
    pool,
    primary,
    backup,
    archive,
    close: async () => {
      pool.close();
      await Promise.all([primary.stop(), backup.stop(), archive.stop()]);
    },
  };
}
