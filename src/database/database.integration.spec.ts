import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HaltError, RetryError } from '../domain/errors.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { Clock } from '../domain/clock.js';
import { DatabaseAvailability } from './availability.js';
import { createDataSource } from './data-source.js';
import { Database } from './database.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../embedded-postgres/index.js';

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

  it('F30 a statement that takes too long is tried again', async () => {
    expect(await failure('SELECT pg_sleep(30)')).toBeInstanceOf(RetryError);
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
    process.kill(Number(row?.pid), 'SIGKILL');
    const started = performance.now();
    for (;;) {
      const answer = await database.query('SELECT 1 AS one').catch((error: unknown) => error);
      if (Array.isArray(answer)) break;
      expect(answer).toBeInstanceOf(RetryError);
      expect(performance.now() - started).toBeLessThan(10_000);
    }
    expect(events.all.at(-1)).toEqual({ event: 'database-back' });
  });

  it('F28 a database that is away is tried again; the error holds no password', async () => {
    await server.stop();
    const error = await failure('SELECT 1');
    expect(error).toBeInstanceOf(RetryError);
    expect(String(error)).not.toContain(server.password.reveal());
  });
});
