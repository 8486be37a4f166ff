import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, StartupError } from '../domain/errors.js';
import { Secret } from '../domain/secret.js';
import { barrierTo, giveTo, serverAccount, type Account } from './account.js';
import { findBinaries, type Binaries } from './binaries.js';

export const SUPERUSER = 'chimera';
/** The server inherits no environment: no PG* variable may redirect it. */
export const SERVER_ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };

/** A data directory that is ready for the server. `cluster` belongs to PostgreSQL, the rest to us. */
export interface Cluster {
  readonly dataDir: string;
  readonly clusterDir: string;
  readonly logFile: string;
  readonly password: Secret;
  readonly binaries: Binaries;
  readonly account: Account | undefined;
}

/**
 * Makes the data directory ready. The first run creates the cluster, in about 0.7 s.
 *
 * @throws StartupError in one sentence when the directory cannot be used, or was written by another version.
 */
export async function prepareCluster(directory: string): Promise<Cluster> {
  const dataDir = resolve(directory);
  const clusterDir = join(dataDir, 'cluster');
  const account = makeDirectory(dataDir, clusterDir);
  const binaries = findBinaries(dataDir, account);
  if (!existsSync(clusterDir)) await createCluster(dataDir, clusterDir, binaries, account);
  const version = readFileSync(join(clusterDir, 'PG_VERSION'), 'utf8').trim();
  if (version !== binaries.majorVersion)
    throw new StartupError([
      `database.dataDir: ${dataDir} was written by PostgreSQL ${version}, but PostgreSQL ${binaries.majorVersion} is installed; another directory, or a dump and restore, was expected`,
    ]);
  const password = new Secret(readFileSync(join(clusterDir, PASSWORD_FILE), 'utf8'));
  return { dataDir, clusterDir, logFile: join(dataDir, 'postgres.log'), password, binaries, account };
}

/**
 * The file is inside the cluster, so that both appear and move together. Only the server's account can read
 * it.
 */
export const PASSWORD_FILE = 'chimera.password';

function makeDirectory(dataDir: string, clusterDir: string): Account | undefined {
  try {
    mkdirSync(dataDir, { recursive: true });
    const account = serverAccount(clusterDir);
    if (account) letThrough(dataDir, account);
    return account;
  } catch (error) {
    if (error instanceof StartupError) throw error;
    throw new StartupError([`database.dataDir: ${dataDir} cannot be used: ${messageOf(error)}`]);
  }
}

/**
 * Directories of root are often closed to other accounts. Only the data directory itself is opened, for
 * passing through.
 */
function letThrough(dataDir: string, account: Account): void {
  chmodSync(dataDir, statSync(dataDir).mode | 0o011);
  const barrier = barrierTo(dataDir, account);
  if (barrier === undefined) return;
  throw new StartupError([
    `database.dataDir: as root the embedded PostgreSQL runs under another account (uid ${account.uid}), which may not enter ${barrier}; a directory that every account can reach was expected, for example /var/lib/chimera`,
  ]);
}

async function createCluster(
  dataDir: string,
  clusterDir: string,
  { initdb }: Binaries,
  account: Account | undefined,
): Promise<void> {
  // The cluster is made under another name and then renamed: one that exists is complete, even after a crash.
  const part = mkdtempSync(join(dataDir, 'part-'));
  giveTo(part, account);
  const cluster = join(part, 'cluster');
  const passwordFile = join(part, 'password');
  writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  giveTo(passwordFile, account);
  try {
    await promisify(execFile)(
      initdb,
      [
        ...['-D', cluster, `--username=${SUPERUSER}`, '--auth=scram-sha-256', `--pwfile=${passwordFile}`],
        ...['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
      ],
      { env: SERVER_ENVIRONMENT, cwd: dataDir, ...account },
    );
    renameSync(passwordFile, join(cluster, PASSWORD_FILE));
    renameSync(cluster, clusterDir);
  } catch (error) {
    // Another process may have created the cluster first. That one is used.
    if (!existsSync(clusterDir))
      throw new StartupError([
        `database.dataDir: the cluster in ${dataDir} cannot be created: ${lastLine(error)}`,
      ]);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}

function lastLine(error: unknown): string {
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  return (
    stderr.split('\n').find((line) => /error|fatal/i.test(line)) ?? messageOf(error).split('\n')[0] ?? ''
  );
}
