import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Ambient } from '../../testing/ambient.js';
import { VARIABLES, withSection } from '../../testing/configuration.js';
import { hasPgBouncer, PgBouncer } from '../../testing/pg-bouncer.js';
import { ChimeraConfigModule, parseConfig } from '../config/index.js';
import { RetryError } from '../domain/errors.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../embedded-postgres/index.js';
import { checkDatabase, timeoutScopeOf } from './check-database.js';
import { createDataSource } from './data-source.js';
import { Database } from './database.js';
import { DatabaseModule } from './database.module.js';
import { migrate } from './migrate.js';
import { CheckpointsRepository } from './repositories/checkpoints.js';
import { SafetyRepository } from './repositories/safety.js';

if (!hasPgBouncer) console.warn('the specs of the pooler are skipped: pgbouncer is not installed');

const configAt = (server: EmbeddedPostgres, port: number) =>
  parseConfig(withSection('database', `{ host: 127.0.0.1, port: ${port}, name: chimera }`), {
    ...VARIABLES,
    DB_USER: server.user,
    DB_PASSWORD: server.password.reveal(),
  });

describe.runIf(hasPgBouncer)('F54 PgBouncer in transaction mode', { timeout: 60_000 }, () => {
  let dataDir: string;
  let server: EmbeddedPostgres;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    dataDir = mkdtempSync(join(tmpdir(), 'chimera-pooler-'));
    server = await startEmbeddedPostgres({ dataDir });
  });

  afterAll(async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it.each([
    ['as it is installed', []],
    [
      'told to ignore what it does not know',
      ['ignore_startup_parameters = statement_timeout, idle_in_transaction_session_timeout'],
    ],
  ])('%s: the bot checks, migrates, reads and writes through it', async (_, settings) => {
    const pooler = await PgBouncer.start(server, settings);
    const config = configAt(server, pooler.port);
    try {
      expect(await checkDatabase(config)).toEqual([]);
      @Module({ imports: [ChimeraConfigModule.forRoot(() => config), Ambient, DatabaseModule] })
      class App {}
      const app = await NestFactory.createApplicationContext(App);
      const safety = app.get(SafetyRepository, { strict: false });
      // More at once than it has connections.
      await Promise.all(Array.from({ length: 20 }, () => safety.load()));
      const { status, version } = await safety.load();
      const reason = `through the pooler, ${settings.length} settings`;
      expect(await safety.save({ ...status, reason }, version)).toMatchObject({ kind: 'saved' });
      expect((await safety.load()).status.reason).toBe(reason);
      // One snapshot: its isolation level has to be chosen before its first query.
      const checkpoints = app.get(CheckpointsRepository, { strict: false });
      expect(await checkpoints.load('aave')).toMatchObject({ checkpoint: undefined, positions: [] });
      await app.close();
    } finally {
      await pooler.stop();
    }
  });

  it('no connection of the server keeps a lock or a setting of the bot; each transaction has its timeouts', async () => {
    const pooler = await PgBouncer.start(server, ['ignore_startup_parameters = statement_timeout']);
    const address = { ...atPort(pooler.port), timeouts: 'transaction' } as const;
    const source = await createDataSource(address).initialize();
    const direct = await createDataSource(server).initialize();
    try {
      await Promise.all([migrate(address), migrate(address)]);
      const database = new Database(source, undefined, { timeouts: 'transaction' });
      const shown = await Promise.all(
        Array.from({ length: 4 }, () =>
          database.query(`SELECT current_setting('statement_timeout') AS statement,
            current_setting('idle_in_transaction_session_timeout') AS idle`),
        ),
      );
      expect(new Set(shown.flat().map((row) => JSON.stringify(row)))).toEqual(
        new Set([JSON.stringify({ statement: '5s', idle: '10s' })]),
      );
      const locks = `SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory' AND objid = 7240002`;
      expect(await direct.query(locks)).toEqual([{ n: 0 }]);
      // Without a transaction of ours: what the pooled connections were left with.
      expect(await source.query(`SELECT current_setting('statement_timeout') AS statement`)).toEqual([
        { statement: '0' },
      ]);
    } finally {
      await source.destroy();
      await direct.destroy();
      await pooler.stop();
    }
  });

  it('F30 a statement that takes too long ends at the server too, and the next one is served', async () => {
    const pooler = await PgBouncer.start(server);
    const source = await createDataSource({ ...atPort(pooler.port), timeouts: 'transaction' }).initialize();
    const database = new Database(source, undefined, { timeouts: 'transaction' });
    try {
      const error = await database.query('SELECT pg_sleep(30)').catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(RetryError);
      expect(String(error)).toMatch(/statement timeout/);
      expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    } finally {
      await source.destroy();
      await pooler.stop();
    }
  });

  it('that is restarted is tried again, and serves afterwards', async () => {
    const first = await PgBouncer.start(server);
    const source = await createDataSource({ ...atPort(first.port), timeouts: 'transaction' }).initialize();
    const database = new Database(source, undefined, { timeouts: 'transaction' });
    await database.query('SELECT 1');
    await first.stop();
    expect(await database.query('SELECT 1').catch((reason: unknown) => reason)).toBeInstanceOf(RetryError);
    const second = await PgBouncer.start(server, [], first.port);
    try {
      expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    } finally {
      await source.destroy();
      await second.stop();
    }
  });

  it('a server without a pooler keeps the timeouts at its connections', async () => {
    expect(await timeoutScopeOf(server)).toBe('connection');
  });

  function atPort(port: number) {
    const { host, database, user, password } = server;
    return { host, port, database, user, password };
  }
});
