import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { startPostgres } from '../devnet/stack/postgres.js';
import { createDataSource, Database, migrate } from '../src/database/index.js';
import type { EmbeddedPostgres } from '../src/embedded-postgres/index.js';
import { TcpProxy } from './nodes/tcp-proxy.js';
import { PgBouncer } from './pg-bouncer.js';

/** A PostgreSQL for one test, with the bot's tables. Its directory is deleted when it stops. */
export class TestDatabase {
  readonly database: Database;

  private constructor(
    private readonly dataDir: string,
    readonly server: EmbeddedPostgres,
    readonly dataSource: DataSource,
  ) {
    this.database = new Database(dataSource);
  }

  static async start(): Promise<TestDatabase> {
    const dataDir = mkdtempSync(join(tmpdir(), 'chimera-db-'));
    const server = await startPostgres(dataDir);
    await migrate(server);
    return new TestDatabase(dataDir, server, await createDataSource(server).initialize());
  }

  async stop(): Promise<void> {
    await this.dataSource.destroy();
    await this.server.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** The same, spoken to through PgBouncer in transaction mode. */
export class PooledDatabase {
  private constructor(
    private readonly behind: TestDatabase,
    private readonly pooler: PgBouncer,
    readonly dataSource: DataSource,
    readonly database: Database,
  ) {}

  static async start(): Promise<PooledDatabase> {
    const behind = await TestDatabase.start();
    const { host, database, user, password } = behind.server;
    // A test may hold one connection, wait for it with another, and look with a third.
    const pooler = await PgBouncer.start(behind.server, ['default_pool_size = 5']);
    const address = {
      ...{ host, database, user, password, port: pooler.port },
      timeouts: 'transaction',
    } as const;
    const source = await createDataSource(address).initialize();
    return new PooledDatabase(behind, pooler, source, new Database(source, undefined, address));
  }

  async stop(): Promise<void> {
    await this.dataSource.destroy();
    await this.pooler.stop();
    await this.behind.stop();
  }
}

/** The same, spoken to through a proxy that can behave as a bad network does. */
export class ProxiedDatabase {
  private constructor(
    /** Past the proxy. */
    readonly behind: TestDatabase,
    readonly proxy: TcpProxy,
    readonly dataSource: DataSource,
  ) {}

  static async start(): Promise<ProxiedDatabase> {
    const behind = await TestDatabase.start();
    const proxy = await TcpProxy.start(behind.server);
    const { user, password, database } = behind.server;
    const address = { host: '127.0.0.1', port: proxy.port, user, password, database };
    return new ProxiedDatabase(behind, proxy, await createDataSource(address).initialize());
  }

  async stop(): Promise<void> {
    await this.dataSource.destroy();
    await this.proxy.stop();
    await this.behind.stop();
  }
}
