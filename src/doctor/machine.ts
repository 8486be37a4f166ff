import { access, constants, stat, statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { ChimeraConfig } from '../config/index.js';
import { problem, warning, well, type Check, type Finding } from './finding.js';

const GIB = 1024 ** 3;
/** The tests run with these. */
const TESTED_NODES = [
  [20, 19],
  [22, 12],
] as const;
const LEAST_MEMORY_GIB = 2;
const LEAST_DISK_GIB = 2;
/** Rights of the group and of all others. */
const OTHERS = 0o077;

type At = Pick<ChimeraConfig, 'journal' | 'database'>;

export const MACHINE: readonly Check<At>[] = [
  { name: 'Node.js', look: () => nodeFinding(process.versions.node) },
  {
    name: 'memory',
    look: () => {
      const limit = process.constrainedMemory();
      const bytes = limit > 0 && limit < totalmem() ? limit : totalmem();
      const found = `${(bytes / GIB).toFixed(1)} GiB of memory`;
      return bytes >= LEAST_MEMORY_GIB * GIB
        ? well(found)
        : warning(found, `give it ${LEAST_MEMORY_GIB} GiB or more: a large market takes 1 GiB`);
    },
  },
  { name: 'journal', look: ({ journal }) => directory('journal.dir', journal.dir) },
  {
    name: 'database directory',
    look: ({ database }) =>
      database.embedded
        ? directory('database.dataDir', database.dataDir)
        : well('the database is on a server'),
  },
  { name: '.env', look: () => envFinding('.env') },
];

/** Whether the tests run with this version. */
export function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isTested = TESTED_NODES.some(([tested, from]) => major === tested && minor >= from);
  if (isTested) return well(`Node.js ${version}`);
  return warning(
    `Node.js ${version} is not a version that the tests run with`,
    'install the newest 22 (or 20.19 and later of 20)',
  );
}

/** Whether a directory, or the nearest one above it, can be written, and has room. */
export async function directory(key: string, path: string, leastGib = LEAST_DISK_GIB): Promise<Finding> {
  const nearest = await nearestOf(resolve(path));
  try {
    await access(nearest, constants.W_OK | constants.X_OK);
  } catch {
    return problem(
      `${key}: this account may not write in ${nearest}`,
      `give it the right, or name another directory in ${key}`,
    );
  }
  const { bavail, bsize } = await statfs(nearest);
  const gib = (bavail * bsize) / GIB;
  const found = `${key}: ${gib.toFixed(1)} GiB are free`;
  return gib >= leastGib ? well(found) : problem(found, `make room: ${leastGib} GiB or more`);
}

async function nearestOf(path: string): Promise<string> {
  try {
    return (await stat(path)).isDirectory() ? path : dirname(path);
  } catch {
    return nearestOf(dirname(path));
  }
}

/** A file with secrets is read by its owner alone. */
export async function envFinding(path: string): Promise<Finding> {
  try {
    const { mode } = await stat(path);
    return (mode & OTHERS) === 0
      ? well(`${path} is read by its owner alone`)
      : warning(`other accounts of this machine may read ${path}, which holds secrets`, `chmod 600 ${path}`);
  } catch {
    return well(`there is no ${path}; variables come from elsewhere`);
  }
}
