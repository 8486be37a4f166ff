/** The PostgreSQL of a test, a benchmark or the demo. */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/embedded-postgres/index.js';

/**
 * As startEmbeddedPostgres. Where POSTGRES_CLUSTER names an empty cluster (test/warm-up/postgres-cluster.ts),
 * a copy of it is used: initdb takes more than a second of a core, and all tests together start 60 servers.
 */
export async function startPostgres(dataDir: string): Promise<EmbeddedPostgres> {
  const empty = process.env['POSTGRES_CLUSTER'];
  if (empty !== undefined) {
    await mkdir(dataDir, { recursive: true });
    // Files keep their owner, which fs.cp would not do: it is the account that the server runs under.
    await promisify(execFile)('cp', ['-Rp', empty, join(dataDir, 'cluster')]);
  }
  return startEmbeddedPostgres({ dataDir });
}
