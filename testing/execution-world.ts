import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { Wallet } from 'ethers';
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest';
import { AnvilProcess } from '../devnet/chain/anvil.js';
import { startPostgres } from '../devnet/stack/postgres.js';
import { createDataSource, type EmbeddedPostgres } from '../src/database/index.js';
import { Bench, type Settings } from './execution.js';

/** A local chain and a database for the tests of one file, and the benches they open. */
export class ExecutionWorld {
  anvil!: AnvilProcess;
  database!: EmbeddedPostgres;
  private opened: Bench[] = [];

  /** Each test begins with an empty database. After it, its benches are closed and its mocks are restored. */
  static forThisFile({ statesKept = 64 } = {}): ExecutionWorld {
    const world = new ExecutionWorld();
    let dataDir: string;
    beforeAll(async () => {
      Logger.overrideLogger(false);
      dataDir = mkdtempSync(join(tmpdir(), 'chimera-execution-'));
      [world.database, world.anvil] = await Promise.all([
        startPostgres(dataDir),
        AnvilProcess.start({ chainId: 31337, port: 0, statesKept }),
      ]);
    });
    beforeEach(() => Bench.reset(world.database));
    afterEach(async () => {
      vi.restoreAllMocks();
      await Promise.all(world.opened.splice(0).map((bench) => bench.close()));
    });
    afterAll(async () => {
      await world.anvil.stop();
      await world.database.stop();
      rmSync(dataDir, { recursive: true, force: true });
    });
    return world;
  }

  /** Rows of the database, when no bench is open. */
  async query<Row>(sql: string): Promise<Row[]> {
    const dataSource = await createDataSource(this.database).initialize();
    try {
      return await dataSource.query<Row[]>(sql);
    } finally {
      await dataSource.destroy();
    }
  }

  /** Opens a bench with a new operator, unless the settings name one. Not recovered. */
  async open(settings: Partial<Settings> = {}): Promise<Bench> {
    const key = Wallet.createRandom().privateKey;
    const { anvil, database } = this;
    const bench = await Bench.open({ rpcUrl: anvil.url, database, key, ...settings });
    this.opened.push(bench);
    return bench;
  }

  /** As {@link open}, and recovered. */
  async start(settings?: Partial<Settings>): Promise<Bench> {
    const bench = await this.open(settings);
    await bench.lead();
    return bench;
  }

  /**
   * Ends the process that was opened last, and opens the next process of the same operator. Not recovered.
   */
  async reopen(changes: Partial<Settings> = {}): Promise<Bench> {
    const last = this.opened.pop();
    await last?.close();
    return this.open({ ...last?.settings, funded: false, ...changes });
  }

  /** As {@link reopen}, and recovered. */
  async restart(changes?: Partial<Settings>): Promise<Bench> {
    const bench = await this.reopen(changes);
    await bench.lead();
    return bench;
  }
}
