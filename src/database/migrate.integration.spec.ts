import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDataSource } from './data-source.js';
import { Database } from './database.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../embedded-postgres/index.js';
import { migrate, revertLastMigration } from './migrate.js';
import { CheckpointsRepository } from './repositories/checkpoints.js';

const NAMES = [
  'Initial1767225600001',
  'StoredPositions1767225600002',
  'ReopenedTransactions1767225600003',
  'TransactionDoors1767225600004',
  'ReservedSpending1767225600005',
  'Outcomes1767225600006',
  'TransactionVersions1767225600007',
  'Leases1767225600008',
  'WalletsOfExecutions1767225600009',
  'SafetyConcerns1767225600010',
  'AppliedWrites1767225600011',
  'Reports1767225600012',
  'BidReviews1767225600013',
  'KnownPools1767225600014',
  'MarketIds1767225600015',
  'ChainsOfPositions1767225600016',
  'ChainsOfSafety1767225600017',
  'Steering1767225600018',
  'DryRunBookings1767225600019',
  'AlertDrills1767225600020',
  'NewestBlocksFirst1767225600021',
  'ExecutionsByTime1767225600022',
];

const NEWER = 'FromTomorrow1999999999999';

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

  it('several runners at once: one works, the others wait and find nothing to do', async () => {
    const done = await Promise.all([migrate(server), migrate(server), migrate(server)]);
    expect(done.flat()).toEqual(NAMES);
  });

  it('what a newer version has brought up to date is refused, by its name, and nothing is changed', async () => {
    await dataSource.query('INSERT INTO migrations (timestamp, name) VALUES (1999999999999, $1)', [NEWER]);
    const before = await dataSource.query<unknown[]>('SELECT name FROM migrations');
    await expect(migrate(server)).rejects.toThrow(
      `the database was brought up to date by a newer version, with ${NEWER}: start that version, or restore the backup`,
    );
    expect(await dataSource.query<unknown[]>('SELECT name FROM migrations')).toEqual(before);
    await dataSource.query('DELETE FROM migrations WHERE name = $1', [NEWER]);
    expect(await migrate(server)).toEqual([]);
  });

  it('go up, down to nothing, and up again', async () => {
    expect(await database.query(tables)).toEqual([{ n: 20 }]);
    for (let left = NAMES.length; left > 0; left--) await revertLastMigration(server);
    expect(await database.query(tables)).toEqual([{ n: 0 }]);
    expect(await database.query(others)).toEqual([{ n: '0' }]);
    expect(await migrate(server)).toEqual(NAMES);
    expect(await migrate(server)).toEqual([]);
  });

  describe('between borrowers with a checkpoint and stored positions', () => {
    const BORROWER = `0x${'b0'.repeat(20)}`;
    const hash = (n: number): string => `0x${n.toString(16).padStart(64, '0')}`;
    const before = 'SELECT protocol, block_number, block_hash FROM checkpoints ORDER BY protocol';

    /** To before the positions were stored. */
    const goDown = async (): Promise<void> => {
      for (let left = NAMES.length; left > 1; left--) await revertLastMigration(server);
    };

    afterEach(async () => {
      await database.query('TRUNCATE positions, checkpoints');
    });

    it('upgrading keeps the borrowers and how far they were searched; their positions have to be read', async () => {
      await goDown();
      await database.query(`INSERT INTO checkpoints VALUES ('aave', 120, '${hash(120)}')`);
      await database.query(`INSERT INTO positions VALUES ('aave', '${BORROWER}')`);
      await migrate(server);
      expect(await new CheckpointsRepository(database, 31337).load('aave')).toEqual({
        checkpoint: undefined,
        history: { scannedTo: 120, goal: 120 },
        positions: [],
        unread: [BORROWER],
      });
    });

    it('upgrading gives them the only chain that the database knows', async () => {
      await database.query(`INSERT INTO leases (chain_id, wallet, holder, epoch, acquired_at, renewed_at, expires_at)
        VALUES (8453, '0x${'5e'.repeat(20)}', 'a', 1, now(), now(), now())`);
      for (let left = NAMES.length; left > 15; left--) await revertLastMigration(server);
      await database.query(
        `INSERT INTO checkpoints (protocol, block_number, block_hash) VALUES ('aave', 120, '${hash(120)}')`,
      );
      await database.query(
        `INSERT INTO positions (protocol, account, state) VALUES ('aave', '${BORROWER}', '[0]')`,
      );
      await migrate(server);
      await database.query('TRUNCATE leases');
      expect((await new CheckpointsRepository(database, 31337).load('aave')).positions).toEqual([]);
      expect((await new CheckpointsRepository(database, 8453).load('aave')).positions).toEqual([
        { account: BORROWER, state: [0] },
      ]);
    });

    it('downgrading loses no borrower, and no checkpoint claims more than was searched', async () => {
      await database.query(`INSERT INTO checkpoints
        (protocol, block_number, block_hash, history_scanned_to, history_goal, chain_id) VALUES
        ('complete', 120, '${hash(120)}', 100, 100, 1),
        ('searching', 120, '${hash(120)}', 40, 100, 1),
        ('unread', NULL, NULL, 100, 100, 1),
        ('begun', NULL, NULL, -1, 100, 1),
        ('live', 120, '${hash(120)}', NULL, NULL, 1)`);
      await database.query(
        `INSERT INTO positions (chain_id, protocol, account, state) VALUES (1, 'complete', '${BORROWER}', '[0]')`,
      );
      await goDown();
      expect(await database.query(before)).toEqual([
        { protocol: 'complete', block_number: '120', block_hash: hash(120) },
        { protocol: 'searching', block_number: '40', block_hash: hash(0) },
        { protocol: 'unread', block_number: '100', block_hash: hash(0) },
      ]);
      expect(await database.query('SELECT * FROM positions')).toEqual([
        { protocol: 'complete', account: BORROWER },
      ]);
      await migrate(server);
    });
  });

  it('transactions from before doors and versions keep no door, and are their own first version', async () => {
    for (let left = NAMES.length; left > 3; left--) await revertLastMigration(server);
    await database.query(`INSERT INTO transactions (chain_id, sender, nonce, hash, raw, status)
      VALUES (1, '0x${'5e'.repeat(20)}', 0, '0x${'01'.repeat(32)}', '0x02', 'prepared')`);
    await migrate(server);
    expect(await database.query('SELECT door FROM transactions')).toEqual([{ door: null }]);
    expect(await database.query('SELECT hash, raw, kind FROM transaction_versions')).toEqual([
      { hash: `0x${'01'.repeat(32)}`, raw: '0x02', kind: 'first' },
    ]);
    await database.query('TRUNCATE transactions, transaction_versions');
  });

  it('executions from before wallets were stored have the wallet of their transaction, if they had one', async () => {
    for (let left = NAMES.length; left > 8; left--) await revertLastMigration(server);
    const sender = `0x${'5e'.repeat(20)}`;
    const insert = `INSERT INTO executions (protocol, borrower, block_number, block_hash, health_factor, mode, status, plan)
      VALUES ('aave', $1, 1, '0x${'01'.repeat(32)}', 1, 'live', 'rejected', '{}') RETURNING id`;
    const [signed] = await database.query(insert, [sender]);
    await database.query(insert, [sender]);
    await database.query(
      `WITH t AS (
         INSERT INTO transactions (chain_id, sender, nonce, hash, raw, status)
         VALUES (8453, $1, 0, '0x${'02'.repeat(32)}', '0x02', 'prepared') RETURNING id, hash, raw
       ) INSERT INTO transaction_versions (transaction_id, execution_id, hash, raw, kind)
         SELECT id, $2::bigint, hash, raw, 'first' FROM t`,
      [sender, signed?.id],
    );
    await migrate(server);
    expect(await database.query('SELECT chain_id, wallet FROM executions ORDER BY id')).toEqual([
      { chain_id: '8453', wallet: sender },
      { chain_id: null, wallet: null },
    ]);
    const change = database.query('UPDATE executions SET wallet = NULL');
    await expect(change).rejects.toThrow('append-only');
  });

  it('executions from before markets had ids have none, and get none', async () => {
    for (let left = NAMES.length; left > 14; left--) await revertLastMigration(server);
    await database.query(`INSERT INTO executions (protocol, borrower, block_number, block_hash, health_factor, mode, status, plan)
      VALUES ('aave', '0x${'b0'.repeat(20)}', 1, '0x${'01'.repeat(32)}', 1, 'live', 'rejected', '{}')`);
    await migrate(server);
    expect(await database.query('SELECT DISTINCT market_id FROM executions')).toEqual([{ market_id: null }]);
    const change = database.query(`UPDATE executions SET market_id = '0x${'3d'.repeat(32)}'`);
    await expect(change).rejects.toThrow('append-only');
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
