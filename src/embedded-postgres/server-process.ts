import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { SERVER_ENVIRONMENT, type Cluster } from './cluster.js';

export const HOST = '127.0.0.1';

const SETTINGS = {
  listen_addresses: HOST,
  unix_socket_directories: '',
  // For the bot's pool, a second bot that is refused, and an operator with psql.
  max_connections: '50',
  shared_buffers: '32MB',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/** A larger log is emptied at the start, so that it does not fill the disk in months of running. */
const LARGEST_LOG_BYTES = 5_000_000;

/**
 * The server as a detached child process, so that a Ctrl-C for the bot does not stop it before the bot is
 * done.
 */
export interface ServerProcess {
  /** undefined while it runs. Afterwards the last error in its log. */
  failure(): string | undefined;
}

export function startServer(
  { clusterDir, logFile, dataDir, binaries, account }: Cluster,
  port: number,
): ServerProcess {
  if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > LARGEST_LOG_BYTES) truncateSync(logFile);
  const log = openSync(logFile, 'a');
  const logStart = statSync(logFile).size;
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  let ending: string | undefined;
  const child = spawn(binaries.postgres, ['-D', clusterDir, '-p', String(port), ...settings], {
    // A file and not a pipe, because the server may outlive us.
    stdio: ['ignore', log, log],
    env: SERVER_ENVIRONMENT,
    cwd: dataDir,
    detached: true,
    ...account,
  });
  closeSync(log);
  child.once('error', (error) => (ending = error.message));
  child.once('exit', (code, signal) => (ending ??= `it ended (${signal ?? code})`));
  child.unref();
  return { failure: () => ending && (lastError(logFile, logStart) ?? ending) };
}

function lastError(logFile: string, from: number): string | undefined {
  const written = readFileSync(logFile).subarray(from).toString();
  const errors = [...written.matchAll(/(?:FATAL|PANIC): +(.*)/g)].map((match) => match[1] ?? '');
  // What clients were told during the start is not the reason why it ended.
  return errors.findLast((text) => !text.startsWith('the database system is'));
}

/** A free port. Another process may take it before the server does: the start is then repeated. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('the system gave no port');
  return address.port;
}
