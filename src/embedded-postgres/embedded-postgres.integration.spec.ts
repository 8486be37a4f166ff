import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { StartupError } from '../domain/errors.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.js';
import { isPostgres, readPostmaster, stopPostmaster } from './postmaster.js';

const SOURCE = fileURLToPath(new URL('./embedded-postgres.ts', import.meta.url));

async function query(server: EmbeddedPostgres, sql: string): Promise<Record<string, unknown>[]> {
  const { host, port, user, database } = server;
  const client = new Client({ host, port, user, database, password: server.password.reveal() });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('embedded PostgreSQL', { timeout: 60_000 }, () => {
  let dataDir: string;
  const cluster = (): string => join(dataDir, 'cluster');
  const postmasterPid = (): number => readPostmaster(cluster())?.pid ?? 0;

  /** Another process that starts the server and waits. */
  async function startInChild(): Promise<ChildProcess> {
    const code = `
      const { startEmbeddedPostgres } = await import(${JSON.stringify(SOURCE)});
      const { port } = await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)} });
      console.log('ready on ' + port);
      setInterval(() => undefined, 1000);`;
    const args = ['--import', 'tsx', '--input-type=module', '-e', code];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'exit').then(() => Promise.reject(new Error('the child ended before it was ready'))),
    ]);
    return child;
  }

  beforeAll(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'chimera-pg-'));
  });

  const started: EmbeddedPostgres[] = [];
  async function start(log?: (message: string) => void): Promise<EmbeddedPostgres> {
    const server = await startEmbeddedPostgres({ dataDir, ...(log && { log }) });
    started.push(server);
    return server;
  }

  afterEach(async () => {
    for (const server of started.splice(0)) await server.stop();
    await stopPostmaster(postmasterPid());
  });

  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  it('starts in an empty directory, listens on loopback only, requires the password, and keeps the data between runs', async () => {
    const first = await start();
    await query(first, 'CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)');
    expect(await query(first, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
    const { host, port, user, database } = first;
    const intruder = new Client({ host, port, user, database, password: 'guess' });
    expect(await rejection(intruder.connect())).toMatchObject({ code: '28P01' });
    await first.stop();
    expect(readPostmaster(cluster())).toBeUndefined();
    const second = await start();
    expect(await query(second, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
    await second.stop();
  });

  it('speaks UTC and UTF-8, and syncs to disk', async () => {
    const server = await start();
    const settings = `SELECT name, setting FROM pg_settings WHERE name IN ('TimeZone', 'server_encoding', 'fsync') ORDER BY name`;
    expect(await query(server, settings)).toEqual([
      { name: 'TimeZone', setting: 'UTC' },
      { name: 'fsync', setting: 'on' },
      { name: 'server_encoding', setting: 'UTF8' },
    ]);
    await server.stop();
  });

  it('a second bot on the same directory gets one clear sentence, and the first goes on', async () => {
    const first = await start();
    const error = await rejection(start());
    expect(error).toBeInstanceOf(StartupError);
    expect(error).toMatchObject({
      problems: [
        `database.dataDir: ${dataDir} is in use by another bot; a directory of its own for each bot was expected`,
      ],
    });
    expect(await query(first, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await first.stop();
  });

  it('two bots starting at once on a new directory: one gets it', async () => {
    const shared = mkdtempSync(join(tmpdir(), 'chimera-pg-race-'));
    const results = await Promise.allSettled([1, 2, 3].map(() => startEmbeddedPostgres({ dataDir: shared })));
    const started = results.filter((result) => result.status === 'fulfilled');
    const refused = results.filter((result) => result.status === 'rejected');
    expect(started).toHaveLength(1);
    for (const { reason } of refused) expect(String(reason)).toMatch(/is in use by another bot/);
    for (const { value } of started) await value.stop();
    expect(readdirSync(shared).sort()).toEqual(['cluster', 'postgres.log']);
    rmSync(shared, { recursive: true });
  });

  it('a server left over by a killed bot is taken over, with all rows it acknowledged', async () => {
    const bot = await startInChild();
    const leftOver = postmasterPid();
    bot.kill('SIGKILL');
    await once(bot, 'exit');
    expect(isPostgres(leftOver)).toBe(true);
    const server = await start();
    expect(postmasterPid()).toBe(leftOver);
    expect(await query(server, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
    await server.stop();
    expect(isPostgres(leftOver)).toBe(false);
  });

  it('a bot and a server killed together: the next start recovers', async () => {
    const bot = await startInChild();
    process.kill(postmasterPid(), 'SIGKILL');
    bot.kill('SIGKILL');
    await once(bot, 'exit');
    const server = await start();
    expect(await query(server, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
    await server.stop();
  });

  it('a lock file whose process id now belongs to another program does not prevent the start', async () => {
    const lock = (await startThenStop()).replace(/^\d+/, String(process.pid));
    writeFileSync(join(cluster(), 'postmaster.pid'), lock);
    const server = await start();
    expect(await query(server, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await server.stop();
  });

  it('a killed server is started again on the same port, and still has one owner', async () => {
    const log = vi.fn();
    const server = await start(log);
    const { port } = server;
    process.kill(postmasterPid(), 'SIGKILL');
    await vi.waitFor(async () => expect(await query(server, 'SELECT n FROM kept')).toEqual([{ n: 7 }]), {
      timeout: 15_000,
    });
    await vi.waitFor(() => expect(log).toHaveBeenLastCalledWith('the embedded PostgreSQL is back'));
    expect(server.port).toBe(port);
    expect(String(await rejection(start()))).toMatch(/is in use by another bot/);
    await server.stop();
    expect(readPostmaster(cluster())).toBeUndefined();
  });

  it('after one of its processes was killed the server restarts itself, and the bot owns it again', async () => {
    const log = vi.fn();
    const server = await start(log);
    const [backend] = await query(
      server,
      `SELECT pid FROM pg_stat_activity WHERE application_name = 'chimera-owner'`,
    );
    const before = postmasterPid();
    process.kill(Number(backend?.pid), 'SIGKILL');
    await vi.waitFor(() => expect(log).toHaveBeenLastCalledWith('the embedded PostgreSQL is back'), {
      timeout: 15_000,
    });
    expect(postmasterPid()).toBe(before);
    await server.stop();
  });

  it('an exit without stop() leaves no server behind', async () => {
    const code = `
      const { startEmbeddedPostgres } = await import(${JSON.stringify(SOURCE)});
      await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)} });
      throw new Error('a bug');`;
    const args = ['--import', 'tsx', '--input-type=module', '-e', code];
    const child = spawn(process.execPath, args, { stdio: 'ignore' });
    await once(child, 'exit');
    await vi.waitFor(() => expect(readPostmaster(cluster())).toBeUndefined(), { timeout: 5_000 });
  });

  it('a data directory of another version, and one that cannot be made, give one sentence each', async () => {
    const version = join(cluster(), 'PG_VERSION');
    const written = readFileSync(version, 'utf8');
    writeFileSync(version, '12\n');
    expect(await rejection(start())).toMatchObject({
      problems: [expect.stringMatching(/was written by PostgreSQL 12, but PostgreSQL 18 is installed/)],
    });
    writeFileSync(version, written);
    expect(await rejection(startEmbeddedPostgres({ dataDir: join(version, 'below') }))).toMatchObject({
      problems: [expect.stringMatching(/^database.dataDir: .*below cannot be used: ENOTDIR/)],
    });
  });

  async function startThenStop(): Promise<string> {
    const server = await start();
    const lock = readFileSync(join(cluster(), 'postmaster.pid'), 'utf8');
    await server.stop();
    return lock;
  }
});
