import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareCluster } from '../../src/embedded-postgres/cluster.js';

/** Makes the empty cluster that the servers of all files begin with (devnet/stack/postgres.ts). */
export default async function setup(): Promise<(() => void) | undefined> {
  if (process.env['POSTGRES_CLUSTER'] !== undefined) return undefined; // Another project made it.
  const directory = mkdtempSync(join(tmpdir(), 'chimera-cluster-'));
  chmodSync(directory, 0o755); // PostgreSQL refuses root: another user has to reach it.
  const { clusterDir } = await prepareCluster(directory);
  process.env['POSTGRES_CLUSTER'] = clusterDir;
  return () => {
    delete process.env['POSTGRES_CLUSTER'];
    rmSync(directory, { recursive: true, force: true });
  };
}
