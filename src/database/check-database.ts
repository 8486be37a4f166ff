import { Client } from 'pg';
import type { ChimeraConfig } from '../config/index.js';
import { messageOf } from '../domain/errors.js';
import { binariesProblem } from '../embedded-postgres/index.js';
import { CONNECT_TIMEOUT_MS, type DatabaseAddress } from './data-source.js';

/**
 * Checks whether the configured database can be used. It starts and changes nothing.
 *
 * @returns one sentence for each problem. None of them holds the user or the password.
 */
export async function checkDatabase(config: ChimeraConfig): Promise<string[]> {
  if (config.database.embedded) {
    const problem = binariesProblem();
    return problem === undefined ? [] : [problem];
  }
  const address = serverAddress(config);
  const client = new Client({
    host: address.host,
    port: address.port,
    database: address.database,
    user: address.user,
    password: address.password?.reveal(),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: CONNECT_TIMEOUT_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return [];
  } catch (error) {
    return [connectionProblem(address, error)];
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** @throws TypeError for an embedded database, which has no address before it runs. */
export function serverAddress({ database, environment }: ChimeraConfig): DatabaseAddress {
  if (database.embedded) throw new TypeError('an external database was expected');
  return {
    host: database.host,
    port: database.port,
    database: database.name,
    user: environment.dbUser?.reveal() ?? '',
    password: environment.dbPassword,
  };
}

const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be looked up',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no route to the host',
  ENETUNREACH: 'there is no route to the network',
  ECONNRESET: 'the connection was reset',
};
const REFUSES_LOGIN = new Set(['28P01', '28000']);
const NO_SUCH_DATABASE = '3D000';

/**
 * Why a connection failed, in one sentence. The server's own words about a login are left out, because they
 * name the user.
 */
export function connectionProblem({ host, port, database }: DatabaseAddress, error: unknown): string {
  const where = `database at ${host}:${port}`;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (REFUSES_LOGIN.has(code))
    return `${where} refuses the login; the user and the password of DB_USER and DB_PASSWORD were expected to be its own`;
  if (code === NO_SUCH_DATABASE)
    return `${where} has no database "${database}"; create it, or name another in database.name`;
  if (/password must be a string/.test(messageOf(error)))
    return `${where} asks for a password; set DB_PASSWORD`;
  if (/timeout/i.test(messageOf(error)))
    return `${where} cannot be reached: no answer within ${CONNECT_TIMEOUT_MS / 1000} s`;
  return `${where} cannot be reached: ${UNREACHABLE[code] ?? (code || firstLine(error))}`;
}

function firstLine(error: unknown): string {
  return messageOf(error).split('\n')[0] ?? '';
}
