import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { createDataSource, Database, migrate } from '../src/database/index.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../src/embedded-postgres/index.js';

/** A PostgreSQL for one test, with the bot's tables. Its directory is deleted when it stops. */
export class TestDatabase {
  readonly database: Database;

  private constructor(
    private readonly dataDir: string,
    private readonly server: EmbeddedPostgres,
    readonly dataSource: DataSource,
  ) {
    this.database = new Database(dataSource);
  }

  static async start(): Promise<TestDatabase> {
    const dataDir = mkdtempSync(join(tmpdir(), 'chimera-db-'));
    const server = await startEmbeddedPostgres({ dataDir });
    await migrate(server);
    return new TestDatabase(dataDir, server, await createDataSource(server).initialize());
  }

  async stop(): Promise<void> {
    await this.dataSource.destroy();
    await this.server.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}
