import { DataSource, MigrationExecutor, type QueryRunner } from 'typeorm';
import { StartupError } from '../domain/errors.js';
import { dataSourceOptions, migrationNames, type DatabaseAddress } from './data-source.js';
import { guardedClient } from './password-guard.js';

/** Held by a transaction. TypeORM takes no lock of its own, and two runners at once fail. */
const MIGRATION_LOCK = 7_240_002;
/** Enough time for the migrations of another process. */
const LOCK_TIMEOUT_MS = 60_000;

/**
 * Brings the database up to date. Several processes may do so at once: one runs the migrations, the others
 * wait and find nothing to do.
 *
 * @returns the names of the migrations that this call ran.
 * @throws StartupError when a newer version has worked with the database: this one does not know its rules.
 */
export function migrate(address: DatabaseAddress): Promise<string[]> {
  return underLock(address, async (executor) => {
    await refuseNewer(executor);
    const done = await executor.executePendingMigrations();
    return done.map(({ name }) => name);
  });
}

/** Reverts the last migration. The data in the tables that it created is lost. */
export function revertLastMigration(address: DatabaseAddress): Promise<void> {
  return underLock(address, (executor) => executor.undoLastMigration());
}

/**
 * All migrations are one transaction, and so is the lock: a pooler may give the next transaction another
 * connection. It uses a connection of its own, because a migration may take longer than the bot's statements
 * may.
 */
async function underLock<Result>(
  address: DatabaseAddress,
  work: (executor: MigrationExecutor) => Promise<Result>,
): Promise<Result> {
  const extra = { Client: guardedClient(address) };
  const source = new DataSource({ ...dataSourceOptions(address), poolSize: 1, extra });
  await source.initialize();
  try {
    return await source.transaction(async ({ queryRunner }) => {
      if (!queryRunner) throw new TypeError('a transaction without a connection');
      await queryRunner.query(
        `SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', $1, true)`,
        [String(LOCK_TIMEOUT_MS)],
      );
      await queryRunner.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
      return work(executorOf(source, queryRunner));
    });
  } finally {
    await source.destroy();
  }
}

async function refuseNewer(executor: MigrationExecutor): Promise<void> {
  const known = new Set(migrationNames());
  const unknown = (await executor.getExecutedMigrations())
    .map(({ name }) => name)
    .filter((one) => !known.has(one));
  if (unknown.length === 0) return;
  throw new StartupError([
    `the database was brought up to date by a newer version, with ${unknown.join(', ')}: start that version, or restore the backup from before the upgrade`,
  ]);
}

function executorOf(source: DataSource, runner: QueryRunner): MigrationExecutor {
  const executor = new MigrationExecutor(source, runner);
  executor.transaction = 'none';
  return executor;
}
