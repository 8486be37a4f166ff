import type { RowsConfig } from '../config/index.js';
import { StartupError } from '../domain/errors.js';
import { binariesProblem } from '../embedded-postgres/index.js';
import { connectionProblem } from './connection-problem.js';
import { CONNECT_TIMEOUT_MS, TIMEOUTS, type DatabaseAddress, type TimeoutScope } from './data-source.js';
import { guardedClient } from './password-guard.js';
import { sslOption, tlsOf, NO_TLS } from './tls.js';

/**
 * Checks whether the configured database can be used. It starts and changes nothing.
 *
 * @returns one sentence for each problem. None of them holds the user or the password.
 */
export async function checkDatabase(config: RowsConfig): Promise<readonly string[]> {
  if (config.database.embedded) {
    const problem = binariesProblem();
    return problem === undefined ? [] : [problem];
  }
  try {
    const address = serverAddress(config);
    try {
      await ask(address, {}, 'SELECT 1');
      return [];
    } catch (error) {
      return [connectionProblem(address, error)];
    }
  } catch (error) {
    if (error instanceof StartupError) return error.problems;
    throw error;
  }
}

/**
 * @throws StartupError when the file of `database.sslCa` cannot be used; TypeError for an embedded database,
 *   which has no address before it runs.
 */
export function serverAddress({ database, environment }: RowsConfig): DatabaseAddress {
  if (database.embedded) throw new TypeError('an external database was expected');
  return {
    host: database.host,
    port: database.port,
    database: database.name,
    user: environment.dbUser ?? '',
    password: environment.dbPassword,
    tls: tlsOf(database),
  };
}

const UNKNOWN_TO_THE_SERVER = '08P01';

/**
 * Asks for the timeouts as a connection would, and looks whether they hold. PgBouncer in transaction mode
 * refuses such a connection, or ignores what it asks for.
 *
 * @throws what pg throws when there is no connection.
 */
export async function timeoutScopeOf(address: DatabaseAddress): Promise<TimeoutScope> {
  try {
    const held = await ask(
      address,
      TIMEOUTS,
      `SELECT setting FROM pg_settings WHERE name = 'statement_timeout'`,
    );
    return held === String(TIMEOUTS.statement_timeout) ? 'connection' : 'transaction';
  } catch (error) {
    const refused = error instanceof Error && 'code' in error && error.code === UNKNOWN_TO_THE_SERVER;
    if (refused && /startup parameter/.test(error.message)) return 'transaction';
    throw error;
  }
}

/** @returns the only value of the answer. */
async function ask(
  address: DatabaseAddress,
  settings: Partial<typeof TIMEOUTS>,
  sql: string,
): Promise<unknown> {
  const { host, port, database, tls = NO_TLS } = address;
  const client = new (guardedClient(address))({
    ...{ host, port, database, ssl: sslOption(tls), ...settings },
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: CONNECT_TIMEOUT_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
    return rows[0]?.[0];
  } finally {
    await client.end().catch(() => undefined);
  }
}
