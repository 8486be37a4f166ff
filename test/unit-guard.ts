/**
 * Loaded before each file of the project `unit`, so that a unit test stays quick and needs nothing around it:
 * a test that starts a process or a thread, or connects to anything but a server of its own process, fails.
 */
import childProcess, { ChildProcess } from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import { Server, Socket } from 'node:net';
import workerThreads from 'node:worker_threads';

function refuse(what: string): never {
  throw new Error(`a unit test may not ${what}: if it has to, name its file *.integration.spec.ts`);
}

function replace(owner: object, method: string | symbol, by: unknown): void {
  Object.defineProperty(owner, method, { value: by, writable: true, configurable: true });
}

/** The files of one worker share its modules: the second file finds the guard in place. */
const INSTALLED = Symbol.for('chimera.unit-guard');
if (!(INSTALLED in globalThis)) {
  replace(globalThis, INSTALLED, true);
  forbidProcesses();
  forbidForeignConnections();
}

function forbidProcesses(): void {
  // spawn, exec, execFile and fork all end in the method `spawn` of ChildProcess.
  replace(ChildProcess.prototype, 'spawn', () => refuse('start a process'));
  for (const method of ['spawnSync', 'execSync', 'execFileSync'])
    replace(childProcess, method, () => refuse('start a process'));
  // No arrow function, because it is called with `new`.
  replace(workerThreads, 'Worker', function () {
    refuse('start a thread');
  });
  syncBuiltinESMExports();
}

function forbidForeignConnections(): void {
  // Ports and socket files on which this process has listened. The port of a closed server stays allowed: it
  // stands for a node that is away.
  const own = new Set<number | string>();
  const listen = Reflect.get(Server.prototype, 'listen');
  replace(Server.prototype, 'listen', function (this: Server, ...args: Parameters<Server['listen']>): Server {
    this.once('listening', () => {
      const address = this.address();
      if (address !== null) own.add(typeof address === 'string' ? address : address.port);
    });
    return listen.apply(this, args);
  });
  const connect = Reflect.get(Socket.prototype, 'connect') as (...args: unknown[]) => Socket;
  replace(Socket.prototype, 'connect', function (this: Socket, ...args: unknown[]): Socket {
    const server = serverOf(args[0]);
    if (server === undefined || !own.has(server)) refuse('connect to another process');
    return connect.apply(this, args);
  });
}

/** Of the first argument of Socket.connect: a port, a path, options, or a list that begins with options. */
function serverOf(target: unknown): number | string | undefined {
  const options: unknown = Array.isArray(target) ? target[0] : target;
  if (typeof options === 'number') return options;
  if (typeof options !== 'object' || options === null) return undefined;
  if ('path' in options && typeof options.path === 'string') return options.path;
  return 'port' in options ? Number(options.port) : undefined;
}
