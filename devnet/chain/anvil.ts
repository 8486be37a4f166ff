/**
 * Runs anvil processes: starts the native binary on a free port of 127.0.0.1 and ends it together with this
 * process, however this process ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { BASE_FEE_FLOOR_WEI } from '../parameters.js';

export interface AnvilOptions {
  chainId: number;
  /** 0 lets the system choose a free port. */
  port: number;
  /** Blocks whose state is kept in memory; each state is a copy of the whole one. */
  statesKept: number;
}

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 3_000;

/** A running anvil. */
export class AnvilProcess {
  readonly #exited: Promise<void>;
  readonly #guard: ChildProcess | undefined;

  private constructor(
    readonly url: string,
    readonly pid: number,
    private readonly child: ChildProcess,
    private readonly directory: string,
  ) {
    this.#exited = new Promise((resolve) => child.once('exit', () => resolve()));
    this.#guard = startGuard(pid, directory);
    child.once('exit', () => this.#release());
    keep(this);
  }

  /**
   * Starts anvil and resolves once it listens.
   * @throws {Error} with anvil's own words when it does not start, for instance because the port is taken
   */
  static async start(options: AnvilOptions): Promise<AnvilProcess> {
    const directory = mkdtempSync(join(tmpdir(), 'chimera-devnet-'));
    // Detached: Ctrl-C in a terminal must reach the host first, which then stops the chain.
    const child = spawn(anvilBinary(), anvilArguments(options, directory), {
      cwd: directory,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const emergencyStop = (): boolean => child.kill('SIGKILL');
    process.once('exit', emergencyStop);
    try {
      const address = await listeningAddress(child);
      if (child.pid === undefined) throw new Error('anvil has no process id');
      // The chain does not keep this process alive: a script that has done its work ends, and the chain with
      // it.
      child.unref();
      unrefStream(child.stdout);
      unrefStream(child.stderr);
      return new AnvilProcess(`http://${address}`, child.pid, child, directory);
    } catch (error) {
      emergencyStop();
      rmSync(directory, { recursive: true, force: true });
      throw error;
    } finally {
      process.off('exit', emergencyStop);
    }
  }

  /** True until the process has ended. */
  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Ends the process, waits until it is gone, and removes its directory. May be called more than once. */
  async stop(): Promise<void> {
    if (!this.running) return;
    this.child.ref();
    this.child.kill('SIGTERM');
    const patience = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(patience);
  }

  /** Ends the process without waiting: for a process that is itself about to end. */
  killNow(): void {
    this.child.kill('SIGKILL');
    this.#release();
  }

  #release(): void {
    drop(this);
    this.#guard?.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const running = new Set<AnvilProcess>();

function keep(anvil: AnvilProcess): void {
  if (running.size === 0) {
    process.on('exit', killAll);
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  }
  running.add(anvil);
}

function drop(anvil: AnvilProcess): void {
  running.delete(anvil);
  if (running.size > 0) return;
  process.off('exit', killAll);
  process.off('SIGINT', onSignal);
  process.off('SIGTERM', onSignal);
}

function killAll(): void {
  for (const anvil of [...running]) anvil.killNow();
}

function onSignal(signal: NodeJS.Signals): void {
  // Another listener means that the host has a shut-down of its own, which may still need the chain and ends
  // in 'exit'.
  if (process.listenerCount(signal) > 1) return;
  killAll();
  process.kill(process.pid, signal);
}

/**
 * A shell that waits for the end of its standard input, which comes when this process is gone, even by
 * SIGKILL, and then kills anvil. Without it a killed test worker would leave a chain behind.
 */
function startGuard(pid: number, directory: string): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined;
  const script = 'read -r _; kill -9 "$1" 2>/dev/null; rm -rf "$2"';
  const guard = spawn('/bin/sh', ['-c', script, 'devnet-guard', String(pid), directory], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.on('error', () => undefined); // no shell, no guard: the other ways of stopping remain
  guard.unref();
  unrefStream(guard.stdin);
  return guard;
}

/** A pipe to a child keeps the event loop alive unless its socket is told not to. */
function unrefStream(stream: Readable | Writable | null): void {
  if (stream instanceof Socket) stream.unref();
}

function anvilArguments(options: AnvilOptions, directory: string): string[] {
  return [
    ['--host', '127.0.0.1'],
    ['--port', String(options.port)],
    ['--chain-id', String(options.chainId)],
    ['--network', 'optimism'],
    ['--base-fee', String(BASE_FEE_FLOOR_WEI)],
    ['--gas-limit', '120000000'],
    ['--order', 'fees'],
    ['--prune-history', String(options.statesKept)],
    ['--cache-path', join(directory, 'cache')],
    ['--no-request-size-limit'],
    ['--auto-impersonate'],
    ['--no-mining'],
  ].flat();
}

/** The native binary itself: the wrapper script of @foundry-rs/anvil would be one more process to stop. */
function anvilBinary(): string {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const name = process.platform === 'win32' ? 'anvil.exe' : 'anvil';
  const platform = `@foundry-rs/anvil-${process.platform}-${architecture}`;
  try {
    return join(createRequire(import.meta.url).resolve(`${platform}/package.json`), '..', 'bin', name);
  } catch {
    throw new Error(`${platform} is not installed: run npm install --no-save ${platform}@1.7.1`);
  }
}

async function listeningAddress(child: ChildProcess): Promise<string> {
  let output = '';
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      const fail = (reason: string): void =>
        reject(new Error(`anvil did not start: ${reason}\n${output.trim()}`));
      timer = setTimeout(() => fail(`not listening after ${START_TIMEOUT_MS} ms`), START_TIMEOUT_MS);
      // The listeners stay: a pipe that is not read fills up and blocks anvil.
      const read = (chunk: Buffer): void => {
        output = (output + chunk.toString()).slice(-4_000);
        const address = /Listening on (\S+:\d+)/.exec(output)?.[1];
        if (address) resolve(address);
      };
      child.stdout?.on('data', read);
      child.stderr?.on('data', read);
      child.once('error', (error) => fail(error.message));
      child.once('exit', (code, signal) => fail(`ended with ${code ?? signal}`));
    });
  } finally {
    clearTimeout(timer);
  }
}
