import { once } from 'node:events';
import { rm, stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartupError } from '../domain/errors.js';

/** The system takes no longer name of a socket. */
const LONGEST_PATH = 103;

/**
 * Says that its process lives: a socket in the directory of the journal, on which the process listens. The
 * system lets go of it when the process ends, however it ends. Process ids would not do: two containers with
 * one directory both have a process 1, and an id is used again.
 */
export class OwnerLock {
  private constructor(
    private readonly server: Server,
    private readonly path: string,
  ) {}

  /** @throws StartupError when the directory's path is too long, or its file system has no sockets. */
  static async take(path: string): Promise<OwnerLock> {
    const server = createServer((socket) => socket.destroy()).unref();
    try {
      server.listen(nameOf(path));
      await once(server, 'listening');
    } catch (error) {
      throw new StartupError([
        `journal.dir: no lock can be made at ${path} (${String(error)}); use a directory on a local disk`,
      ]);
    }
    return new OwnerLock(server, path);
  }

  async release(): Promise<void> {
    await new Promise((resolve) => this.server.close(resolve));
    await rm(this.path, { force: true });
  }
}

/** Between its name and its first listening a socket refuses. Milliseconds. */
const STARTING_MS = 50;

/** Whether the process that took this lock still lives. Only a clear no, twice, counts as no. */
export async function isHeld(path: string): Promise<boolean> {
  if (await answers(path)) return true;
  await sleep(STARTING_MS);
  return answers(path);
}

async function answers(path: string): Promise<boolean> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  if (!exists) return false;
  const socket = connect(nameOf(path)).unref();
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code !== 'ECONNREFUSED' && code !== 'ENOENT';
  } finally {
    socket.destroy();
  }
}

function nameOf(path: string): string {
  const fromHere = relative(process.cwd(), path);
  const shorter = fromHere.length < path.length ? fromHere : path;
  if (Buffer.byteLength(shorter) > LONGEST_PATH)
    throw new StartupError([`journal.dir is too long: ${path} has more than ${LONGEST_PATH} characters`]);
  return shorter;
}
