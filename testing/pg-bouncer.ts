import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { userOf } from '../src/database/server-words.js';
import type { DatabaseAddress } from '../src/database/index.js';
import { freePort } from '../src/embedded-postgres/server-process.js';
import { eventually } from './eventually.js';

const BINARY = spawnSync('pgbouncer', ['--version']).status === 0 ? 'pgbouncer' : '/usr/sbin/pgbouncer';

export const hasPgBouncer = spawnSync(BINARY, ['--version']).status === 0;

/** PgBouncer in front of a server: each transaction gets another of its two connections. */
export class PgBouncer {
  private constructor(
    private readonly directory: string,
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  /**
   * @param settings further lines of its configuration.
   * @param at the port of one that was stopped.
   */
  static async start(
    server: DatabaseAddress,
    settings: readonly string[] = [],
    at?: number,
  ): Promise<PgBouncer> {
    const directory = mkdtempSync(join(tmpdir(), 'chimera-pgbouncer-'));
    chmodSync(directory, 0o755);
    const port = at ?? (await freePort());
    const { host, database } = server;
    const user = userOf(server);
    const password = server.password?.reveal() ?? '';
    writeFileSync(join(directory, 'users.txt'), `"${user}" "${password}"\n`);
    const lines = [
      '[databases]',
      `${database} = host=${host} port=${server.port} dbname=${database} user=${user} password=${password}`,
      '[pgbouncer]',
      `listen_addr = 127.0.0.1`,
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = scram-sha-256',
      `auth_file = ${join(directory, 'users.txt')}`,
      'pool_mode = transaction',
      'default_pool_size = 2',
      ...settings,
    ];
    writeFileSync(join(directory, 'pgbouncer.ini'), lines.join('\n'));
    // It refuses to run as root.
    const account = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const child = spawn(BINARY, [join(directory, 'pgbouncer.ini')], { stdio: 'ignore', ...account });
    await eventually(() => answers(port), 'PgBouncer to listen');
    return new PgBouncer(directory, child, port);
  }

  async stop(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
