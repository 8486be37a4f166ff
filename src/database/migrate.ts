import { DataSource, MigrationExecutor, type QueryRunner } from 'typeorm';
import { dataSourceOptions, type DatabaseAddress } from './data-source.js';

/** Held while migrations run. TypeORM takes no lock of its own, and two runners at once fail. */
const MIGRATION_LOCK = 7_240_002;
/** Enough time for the migrations of another process. */
const LOCK_TIMEOUT_MS = 60_000;

/**
 * Brings the database up to date. Several processes may do so at once: one runs the migrations, the others
 * wait and find nothing to do.
 *
 * @returns the names of the migrations that this call ran.
 */
export function migrate(address: DatabaseAddress): Promise<string[]> {
  return underLock(address, async (executor) => {
    const done = await executor.executePendingMigrations();
    return done.map(({ name }) => name);
  });
}

/** Reverts the last migration. The data in the tables that it created is lost. */
export function revertLastMigration(address: DatabaseAddress): Promise<void> {
  return underLock(address, (executor) => executor.undoLastMigration());
}

/** It uses a connection of its own, because a migration may take longer than the bot's statements may. */
async function underLock<Result>(
  address: DatabaseAddress,
  work: (executor: MigrationExecutor) => Promise<Result>,
): Promise<Result> {
  const timeouts = { statement_timeout: 0, lock_timeout: LOCK_TIMEOUT_MS };
  const source = new DataSource({ ...dataSourceOptions(address), poolSize: 1, extra: timeouts });
  await source.initialize();
  try {
    const runner = source.createQueryRunner();
    await runner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const result = await work(executorOf(source, runner));
    await runner.release();
    return result;
  } finally {
    // This ends the session and so frees the lock.
    await source.destroy();
  }
}

function executorOf(source: DataSource, runner: QueryRunner): MigrationExecutor {
  const executor = new MigrationExecutor(source, runner);
  executor.transaction = 'each';
  return executor;
}
