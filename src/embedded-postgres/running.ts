import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Secret } from '../domain/secret.js';
import { PASSWORD_FILE, SUPERUSER } from './cluster.js';
import { DATABASE } from './embedded-postgres.js';
import { isPostgres, readPostmaster } from './postmaster.js';
import { HOST } from './server-process.js';

/** A server that another process owns. */
export interface RunningServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password: Secret;
}

/** Whether the directory holds a cluster, running or not. */
export function hasCluster(dataDir: string): boolean {
  return existsSync(join(resolve(dataDir), 'cluster'));
}

/** Where the server of this directory listens now, for a guest of it; undefined when it does not run. */
export function runningServer(dataDir: string): RunningServer | undefined {
  const cluster = join(resolve(dataDir), 'cluster');
  const postmaster = readPostmaster(cluster);
  if (!postmaster || postmaster.port === 0 || !isPostgres(postmaster.pid)) return undefined;
  const password = new Secret(readFileSync(join(cluster, PASSWORD_FILE), 'utf8'));
  return { host: HOST, port: postmaster.port, user: SUPERUSER, database: DATABASE, password };
}
