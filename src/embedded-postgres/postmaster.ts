import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Clock } from '../domain/clock.js';

/** A server, as its lock file describes it. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
}

const POLL_MS = 20;
/** A fast shutdown waits for a checkpoint, an immediate one does not. */
const FAST_SHUTDOWN_MS = 10_000;
const IMMEDIATE_SHUTDOWN_MS = 5_000;

const lockFile = (clusterDir: string): string => join(clusterDir, 'postmaster.pid');

/** Line 1 of postmaster.pid is the process id. Line 4 is the port, which is written a moment later. */
export function readPostmaster(clusterDir: string): Postmaster | undefined {
  let text: string;
  try {
    text = readFileSync(lockFile(clusterDir), 'utf8');
  } catch {
    return undefined;
  }
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  const port = Number(lines[3] || 0);
  return Number.isInteger(pid) && pid > 0 ? { pid, port } : undefined;
}

/** Whether this process is alive and is PostgreSQL. A process id may be used again by another program. */
export function isPostgres(pid: number): boolean {
  const { name, state } = processInfo(pid);
  return name.endsWith('postgres') && !state.startsWith('Z');
}

function processInfo(pid: number): { name: string; state: string } {
  try {
    if (process.platform === 'linux') {
      const [, name = '', state = ''] = /\((.*)\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
      return { name, state };
    }
    const output = execFileSync('/bin/ps', ['-o', 'state=,comm=', '-p', String(pid)], { encoding: 'utf8' });
    const [state = '', name = ''] = output.trim().split(/\s+/);
    return { name, state };
  } catch {
    return { name: '', state: '' };
  }
}

/**
 * Removes the lock file when its process id belongs to another program now, as happens after a crash of the
 * machine. PostgreSQL refuses to start while any process has that id.
 */
export function removeStaleLock(clusterDir: string, { pid }: Postmaster): void {
  if (isPostgres(pid) || !exists(pid) || readPostmaster(clusterDir)?.pid !== pid) return;
  rmSync(lockFile(clusterDir), { force: true });
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * Stops a server: closes its connections and writes a checkpoint. When that takes too long, it stops without
 * one.
 */
export async function stopPostmaster(pid: number, clock = new Clock()): Promise<void> {
  if (signal(pid, 'SIGINT') && (await isGone(pid, FAST_SHUTDOWN_MS, clock))) return;
  if (signal(pid, 'SIGQUIT')) await isGone(pid, IMMEDIATE_SHUTDOWN_MS, clock);
}

/** @returns false when the process is no longer a PostgreSQL server. */
export function signal(pid: number, name: 'SIGINT' | 'SIGQUIT'): boolean {
  if (!isPostgres(pid)) return false;
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

async function isGone(pid: number, deadlineMs: number, clock: Clock): Promise<boolean> {
  const end = clock.monotonicMs() + deadlineMs;
  while (isPostgres(pid)) {
    if (clock.monotonicMs() > end) return false;
    await sleep(POLL_MS);
  }
  return true;
}
