import { DataSource } from 'typeorm';
import type { RowsConfig } from '../config/index.js';
import type { Clock } from '../domain/clock.js';
import { StartupError } from '../domain/errors.js';
import type { Events } from '../domain/events/events.js';
import { hasCluster, runningServer } from '../embedded-postgres/index.js';
import { serverAddress, timeoutScopeOf } from './check-database.js';
import { connectionProblem } from './connection-problem.js';
import { dataSourceOptions, migrationNames, type DatabaseAddress } from './data-source.js';
import { Database } from './database.js';
import { DatabaseServer } from './database-server.js';

/** By it the server tells the connections of a command from those of a bot. */
const COMMAND = 'chimera-command';

/** The database of the configuration, for a command. */
export interface OpenDatabase {
  readonly database: Database;
  readonly close: () => Promise<void>;
}

/**
 * As the bot opens it: with the tables brought up to date. An embedded server is started, which is refused
 * while a bot uses it.
 *
 * @throws StartupError in one sentence.
 */
export async function openDatabase(config: RowsConfig, events: Events, clock: Clock): Promise<OpenDatabase> {
  const server = await DatabaseServer.open(config, events, clock);
  try {
    return await connected(server.address, () => server.stop());
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/**
 * As it is, also while a bot runs with it: nothing of it is brought up to date.
 *
 * @throws StartupError in one sentence.
 */
export async function openToRead(config: RowsConfig, events: Events, clock: Clock): Promise<OpenDatabase> {
  const running = await ofRunningServer(config);
  if (running || !config.database.embedded) return running ?? openDatabase(config, events, clock);
  const { dataDir } = config.database;
  if (!hasCluster(dataDir))
    throw new StartupError([`database.dataDir: there is no database in ${dataDir} yet; the bot makes it`]);
  return openDatabase(config, events, clock);
}

/**
 * The server as it runs. None is started, and nothing is brought up to date.
 *
 * @throws StartupError in one sentence.
 */
export async function openRunning(config: RowsConfig): Promise<OpenDatabase> {
  const running = await ofRunningServer(config);
  if (running) return running;
  throw new StartupError([
    'database.embedded: the embedded server runs while a bot does, and no bot runs; a bot brings it up to date at its start',
  ]);
}

/** An external server, or the embedded one that a bot has started. */
async function ofRunningServer(config: RowsConfig): Promise<OpenDatabase | undefined> {
  if (config.database.embedded) return openAsGuest(config);
  const address = serverAddress(config);
  try {
    const timeouts = await timeoutScopeOf(address);
    return await connected({ ...address, timeouts }, () => Promise.resolve());
  } catch (error) {
    throw new StartupError([connectionProblem(address, error)]);
  }
}

/** The migrations that the database lacks, in their order. */
export async function pendingMigrations(database: Database): Promise<string[]> {
  const done = new Set(await migrationsOf(database));
  return migrationNames().filter((name) => !done.has(name));
}

/** The migrations that a newer version ran. */
export async function unknownMigrations(database: Database): Promise<string[]> {
  const known = new Set(migrationNames());
  return (await migrationsOf(database)).filter((name) => !known.has(name));
}

async function migrationsOf(database: Database): Promise<string[]> {
  const [table] = await database.query("SELECT to_regclass('migrations') IS NOT NULL AS found");
  if (table?.['found'] !== true) return [];
  return (await database.query('SELECT name FROM migrations')).map(({ name }) => String(name));
}

/** The embedded server that a bot has started; undefined when none runs, or the server is an external one. */
export async function openAsGuest({ database }: RowsConfig): Promise<OpenDatabase | undefined> {
  const running = database.embedded ? runningServer(database.dataDir) : undefined;
  return running && connected(running, () => Promise.resolve());
}

/**
 * Why a bot of this chain seems to work with the database now; undefined when none does.
 *
 * In a dry run there is no lease. Then a connection of a bot counts, and that the positions were written
 * lately: a pooler keeps the connections of a bot that has ended, and bots of other chains may be connected.
 */
export async function runningBot(database: Database, chainId: number): Promise<string | undefined> {
  const [found] = await database.query(
    `SELECT
       (SELECT holder FROM leases WHERE chain_id = $1::bigint AND expires_at > now() LIMIT 1) AS holder,
       EXISTS (SELECT FROM checkpoints
         WHERE chain_id = $1::bigint AND updated_at > now() - interval '5 minutes') AS written,
       EXISTS (SELECT FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'chimera') AS connected`,
    [chainId],
  );
  if (typeof found?.['holder'] === 'string') return `${found['holder']} has the lease of the wallet`;
  if (found?.['written'] === true && found['connected'] === true)
    return 'one is connected, and wrote positions in the last five minutes';
  return undefined;
}

/**
 * Which process signs for the chain with this database now; undefined when none does.
 *
 * @throws StartupError in one sentence when an external database cannot be asked.
 */
export async function signingBot(config: RowsConfig): Promise<string | undefined> {
  const open = await ofRunningServer(config);
  if (!open) return undefined;
  try {
    const [table] = await open.database.query("SELECT to_regclass('leases') IS NOT NULL AS found");
    if (table?.['found'] !== true) return undefined;
    const [lease] = await open.database.query(
      'SELECT holder FROM leases WHERE chain_id = $1 AND expires_at > now() LIMIT 1',
      [config.network.chainId],
    );
    return typeof lease?.['holder'] === 'string' ? lease['holder'] : undefined;
  } finally {
    await open.close();
  }
}

async function connected(address: DatabaseAddress, stop: () => Promise<void>): Promise<OpenDatabase> {
  const source = await new DataSource({
    ...dataSourceOptions(address),
    applicationName: COMMAND,
  }).initialize();
  return {
    database: new Database(source, undefined, address),
    close: async () => {
      await source.destroy();
      await stop();
    },
  };
}
