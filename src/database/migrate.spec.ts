import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataSource } from './data-source.js';
import { Database } from './database.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded/embedded-postgres.js';
import { migrate, revertLastMigration } from './migrate.js';

describe('migrations', { timeout: 60_000 }, () => {
  let dataDir: string;
  let server: EmbeddedPostgres;
  let dataSource: DataSource;
  let database: Database;

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'chimera-db-'));
    server = await startEmbeddedPostgres({ dataDir });
    dataSource = await createDataSource(server).initialize();
    database = new Database(dataSource);
  });

  afterAll(async () => {
    await dataSource.destroy();
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const tables = `SELECT count(*)::int AS n FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migrations'`;
  const others = `SELECT (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace)
    + (SELECT count(*) FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'd') AS n`;

  it('two runners at once: one works, the other waits and finds nothing to do', async () => {
    const done = await Promise.all([migrate(server), migrate(server), migrate(server)]);
    expect(done.flat()).toEqual(['Initial1767225600001']);
  });

  it('go up, down to nothing, and up again', async () => {
    expect(await database.query(tables)).toEqual([{ n: 9 }]);
    await revertLastMigration(server);
    expect(await database.query(tables)).toEqual([{ n: 0 }]);
    expect(await database.query(others)).toEqual([{ n: '0' }]);
    expect(await migrate(server)).toEqual(['Initial1767225600001']);
    expect(await migrate(server)).toEqual([]);
  });

  it('the tables are those that the entities describe', async () => {
    const log = await dataSource.driver.createSchemaBuilder().log();
    // Domains, checks and indexes are the migrations' own; what must agree are the columns.
    const columns = log.upQueries
      .map(({ query }) => query)
      .filter((query) => /ADD "|DROP COLUMN|RENAME/.test(query));
    expect(columns).toEqual([]);
  });
});
