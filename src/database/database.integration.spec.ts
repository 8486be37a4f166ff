import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource, EntityManager } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorFrom, HaltError, RetryError } from '../domain/errors.js';
import { eventually } from '../../testing/eventually.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { Clock } from '../domain/clock.js';
import { DatabaseAvailability } from './availability.js';
import { createDataSource } from './data-source.js';
import { Database, type Row } from './database.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../embedded-postgres/index.js';
import { faultBegins } from '../../testing/fault-times.js';

describe('errors of the database say what to do', { timeout: 60_000 }, () => {
  let dataDir: string;
  let server: EmbeddedPostgres;
  let dataSource: DataSource;
  let database: Database;
  let events: RecordedEvents;

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'chimera-db-'));
    server = await startEmbeddedPostgres({ dataDir });
    dataSource = await createDataSource(server).initialize();
    events = new RecordedEvents();
    database = new Database(dataSource, new DatabaseAvailability(events, new Clock()));
  });

  afterAll(async () => {
    await dataSource.destroy();
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const failure = (sql: string): Promise<unknown> =>
    database.query(sql).then(
      () => undefined,
      (error: unknown) => error,
    );

  it('a refused statement halts, and does not carry its parameters along', async () => {
    const error = await failure('SELECT * FROM nowhere');
    expect(error).toBeInstanceOf(HaltError);
    expect(error).toHaveProperty(
      'message',
      'the database refused a statement: relation "nowhere" does not exist',
    );
    expect(error).not.toHaveProperty('cause');
  });

  it('a prepared statement is planned once for a connection, and refused as any other', async () => {
    for (const one of [1, 2])
      expect(await database.prepared('one', 'SELECT $1::integer AS one', [one])).toEqual([{ one }]);
    const planned = 'SELECT generic_plans + custom_plans AS times FROM pg_prepared_statements';
    expect(await database.query(`${planned} WHERE name = 'one'`)).toEqual([{ times: '2' }]);
    const refused = await database.prepared('none', 'SELECT $1::text FROM nowhere', ['x']).catch(errorFrom);
    expect(refused).toBeInstanceOf(HaltError);
    expect(refused).toHaveProperty('message', expect.stringContaining('relation "nowhere" does not exist'));
    expect(refused).not.toHaveProperty('cause');
  });

  it.each([
    ['a migration changed the type of a column', 'ALTER TABLE kept ALTER COLUMN id TYPE bigint'],
    ['the server forgot it', 'DEALLOCATE ALL'],
  ])('a prepared statement goes on where %s', async (_, event) => {
    await database.query('CREATE TABLE IF NOT EXISTS kept (id integer)');
    const insert = (id: number): Promise<readonly Row[]> =>
      database.prepared('kept', 'INSERT INTO kept VALUES ($1) RETURNING id::text, kept AS row, id', [id]);
    try {
      expect(await insert(1)).toMatchObject([{ row: '(1)' }]);
      await database.query(event);
      for (const id of [2, 3]) expect(await insert(id)).toMatchObject([{ row: `(${id})` }]);
      expect(await database.query('SELECT count(*)::integer AS count FROM kept')).toEqual([{ count: 3 }]);
    } finally {
      await database.query('DROP TABLE kept');
    }
  });

  it('F30 a statement that takes too long is tried again', async () => {
    const fault = faultBegins();
    expect(await failure('SELECT pg_sleep(30)')).toBeInstanceOf(RetryError);
    fault.detected();
  });

  it('F30 an exhausted pool fails within two seconds, and serves again afterwards', async () => {
    const busy = Array.from({ length: 10 }, () => database.query('SELECT pg_sleep(3)'));
    const started = performance.now();
    expect(await failure('SELECT 1')).toBeInstanceOf(RetryError);
    expect(performance.now() - started).toBeLessThan(2_500);
    await Promise.all(busy);
    expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('F29 a killed server is back on its port, and the pool with it', async () => {
    const [row] = await database.query('SELECT pg_backend_pid() AS pid');
    const fault = faultBegins();
    process.kill(Number(row?.pid), 'SIGKILL');
    const started = performance.now();
    for (;;) {
      const answer = await database.query('SELECT 1 AS one').catch((error: unknown) => error);
      if (Array.isArray(answer)) break;
      expect(answer).toBeInstanceOf(RetryError);
      fault.detected();
      fault.over();
      expect(performance.now() - started).toBeLessThan(10_000);
    }
    expect(events.all.at(-1)).toEqual({ event: 'database-back' });
    fault.recovered();
  });

  const pidIn = async (manager: EntityManager): Promise<number> => {
    const [row]: { pid: number }[] = await manager.query('SELECT pg_backend_pid() AS pid');
    return row?.pid ?? 0;
  };
  const goneOf = (pid: number): Promise<void> =>
    eventually(async () => {
      const rows = await database
        .query('SELECT 1 FROM pg_stat_activity WHERE pid = $1', [pid])
        .catch(() => [0]);
      return rows.length === 0;
    }, 'the session to end');

  it.each<[string, (manager: EntityManager) => Promise<unknown>]>([
    [
      'the session is ended between two statements (57P01)',
      async (manager) => {
        const pid = await pidIn(manager);
        await database.query('SELECT pg_terminate_backend($1)', [pid]);
        await goneOf(pid);
      },
    ],
    [
      'its process is killed between two statements',
      async (manager) => {
        const pid = await pidIn(manager);
        killed(pid);
        await goneOf(pid);
      },
    ],
    [
      'the session is ended while a statement runs',
      async (manager) => {
        const pid = await pidIn(manager);
        const sleeping = manager.query('SELECT pg_sleep(4)');
        await Promise.all([sleeping, database.query('SELECT pg_terminate_backend($1)', [pid])]);
      },
    ],
    [
      'the process of the bot stood still in it (25P03)',
      async (manager) => {
        const pid = await pidIn(manager);
        await manager.query(`SET LOCAL idle_in_transaction_session_timeout = '50ms'`);
        await goneOf(pid);
      },
    ],
  ])('F54 a transaction is tried again when %s, and the next one is served', async (_, misfortune) => {
    const error: unknown = await database
      .transaction(async (manager) => {
        await misfortune(manager);
        await manager.query('SELECT 1');
      })
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RetryError);
    await eventually(
      () =>
        database
          .transaction((manager) => manager.query('SELECT 1'))
          .then(
            () => true,
            () => false,
          ),
      'the database to serve again',
    );
    expect(events.all.at(-1)).toEqual({ event: 'database-back' });
  });

  it('F54 a server that is read-only for a while is tried again, and writes afterwards', async () => {
    await database.query('CREATE TABLE IF NOT EXISTS noted (n integer)');
    const [was] = await database.query(`SELECT current_setting('default_transaction_read_only') AS it`);
    expect(was).toEqual({ it: 'off' });
    const fault = faultBegins();
    await setReadOnly('on');
    expect(await failure('INSERT INTO noted VALUES (1)')).toBeInstanceOf(RetryError);
    fault.detected();
    expect(await database.query('SELECT count(*)::int AS n FROM noted')).toEqual([{ n: 0 }]);
    fault.over();
    await setReadOnly('off');
    await database.query('INSERT INTO noted VALUES (1)');
    fault.recovered();
    expect(await database.query('SELECT count(*)::int AS n FROM noted')).toEqual([{ n: 1 }]);
  });

  async function setReadOnly(mode: 'on' | 'off'): Promise<void> {
    const admin = await createDataSource(server).initialize();
    await admin.query('SET default_transaction_read_only = off');
    await admin.query(`ALTER SYSTEM SET default_transaction_read_only = ${mode}`);
    await admin.query('SELECT pg_reload_conf()');
    await admin.destroy();
    await eventually(async () => {
      const rows = await database
        .query(`SELECT current_setting('default_transaction_read_only') AS it`)
        .catch(() => []);
      return rows[0]?.it === mode;
    }, `the server to have read-only ${mode}`);
  }

  it('F28 a database that is away is tried again; the error holds no password', async () => {
    await server.stop();
    const error = await failure('SELECT 1');
    expect(error).toBeInstanceOf(RetryError);
    expect(String(error)).not.toContain(server.password.reveal());
  });
});

/** A process of a server that was killed before may end by itself at this moment. */
function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
