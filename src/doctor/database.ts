import type { ChimeraConfig } from '../config/index.js';
import { pendingMigrations, runningBot, unknownMigrations, type Database } from '../database/index.js';
import type { Clock } from '../domain/clock.js';
import { problem, warning, well, type Check } from './finding.js';

export interface DatabaseAt {
  readonly config: ChimeraConfig;
  readonly database: Database;
  readonly clock: Clock;
}

/** PostgreSQL 13 is the oldest one that its makers mend. */
const LEAST_VERSION = 130_000;
/** As long as the tolerance of the bot (bot/clock-watch.ts). */
const TOLERATED_MS = 30_000;
const LOCAL = ['localhost', '127.0.0.1', '::1'];
const MIB = 1024 ** 2;

export const DATABASE: readonly Check<DatabaseAt>[] = [
  {
    name: 'version',
    look: async ({ database }) => {
      const [row] = await database.query(
        "SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS version",
      );
      const found = `PostgreSQL ${String(row?.['version'])}`;
      return Number(row?.['number']) >= LEAST_VERSION
        ? well(found)
        : warning(`${found} gets no corrections any more`, 'move to PostgreSQL 16 or later');
    },
  },
  {
    name: 'encryption',
    look: ({ config: { database } }) => {
      if (database.embedded || LOCAL.includes(database.host)) return well('it is on this machine');
      if (database.ssl === 'verify-full')
        return well('the connection is encrypted, and the server proves who it is');
      return warning(
        database.ssl === 'off' ? 'the connection is not encrypted' : 'the server does not prove who it is',
        'set database.ssl: verify-full',
      );
    },
  },
  {
    name: 'tables',
    look: async ({ database }) => {
      const unknown = await unknownMigrations(database);
      if (unknown.length > 0)
        return problem(
          `the tables are of a newer version: ${unknown.join(', ')}`,
          'run that version, or restore the backup that was made before it',
        );
      const pending = await pendingMigrations(database);
      return pending.length === 0
        ? well('the tables are up to date')
        : warning(
            `${pending.length} migrations are to run: ${pending.join(', ')}`,
            'the bot runs them at its start; or run npx chimera migrate',
          );
    },
  },
  {
    name: 'clock',
    look: async ({ database, clock }) => {
      const beforeMs = clock.wallMs();
      const [row] = await database.query('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms');
      // The answer was made somewhere between the question and now.
      const offMs = Math.round(Math.abs(Number(row?.['ms']) - (beforeMs + clock.wallMs()) / 2));
      const found = `its clock and the one of this machine are ${offMs} ms apart`;
      return offMs <= TOLERATED_MS
        ? well(found)
        : problem(found, 'set both by NTP: the days of the limits begin by them');
    },
  },
  {
    name: 'size',
    look: async ({ database }) => {
      const [row] = await database.query('SELECT pg_database_size(current_database()) AS bytes');
      return well(`${(Number(row?.['bytes']) / MIB).toFixed(0)} MiB`);
    },
  },
  {
    name: 'safety state',
    look: async ({ database, config: { network } }) => {
      const found = await database.query(
        "SELECT state, reason FROM safety_state WHERE chain_id = $1::bigint AND state <> 'NORMAL'",
        [network.chainId],
      );
      const [row] = found;
      if (!row) return well('NORMAL');
      const said = `${String(row['state'])}: ${String(row['reason'])}`;
      return row['state'] === 'HALTED'
        ? problem(said, 'follow docs/runbook.md for this cause, then npx chimera resume --reason …')
        : warning(said, 'it sends less until the cause ends: docs/runbook.md');
    },
  },
  {
    name: 'running bot',
    look: async ({ database, config: { network } }) => {
      const running = await runningBot(database, network.chainId);
      return well(running === undefined ? 'no bot of this chain runs with it' : `a bot runs: ${running}`);
    },
  },
];
