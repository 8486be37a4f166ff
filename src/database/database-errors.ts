import { ChimeraError, HaltError, messageOf, RetryError } from '../domain/errors.js';

/**
 * SQLSTATE classes of conditions that pass: the same statement may succeed later. They are connections,
 * conflicts with other transactions, a lack of resources, an operator's action, and failures of the machine.
 */
const TRANSIENT_CLASSES = new Set(['08', '40', '53', '57', '58']);
const DISK_FULL = '53100';
/** The server's own words name the user. */
const LOGIN = '28';
/** Single conditions that pass, of classes that are mistakes otherwise. */
const TRANSIENT_CODES = new Set([
  '55P03', // lock not available
  '25006', // read-only: a server that was demoted, or a replica in its place
  '25P03', // the process stood still in the middle of a transaction
  '25P04', // the transaction took too long
  '28000', // the login is being changed, or the rules for it
  '28P01',
  '3D000', // a server that is being restored has no database yet
  'XX000', // poolers and hosted servers say it when the server behind them is away
]);
/** Codes of Node's network, and of its TLS while a certificate is replaced. */
const NETWORK_CODE =
  /^(E(CONN|HOST|NET|ADDR|AI_|PIPE|TIMEDOUT|NOTFOUND|MFILE|NFILE|NOBUFS|NOMEM|PROTO)|ERR_(SSL|TLS|STREAM|SOCKET)_)|CERT|^UNABLE_TO_/;
/**
 * What pg, its pool and TypeORM say, without a code, when a connection was lost or did not come in time.
 * TypeORM releases its runner when the connection breaks between two statements of a transaction.
 */
const LOST_CONNECTION =
  /connection terminated|query runner was already released|query runner already released|timeout exceeded when trying to connect|timeout expired|connection.*closed|client was closed|not queryable|connection error|query read timeout|cannot use a pool after|socket (hang up|has been ended)|this socket|(support|establishing an) SSL connection|client network socket disconnected/i;
/** A statement that was prepared before a migration of another process. */
const PLAN_IS_OLD = /cached plan must not change result type/;

/** The server has another plan, or none, under the name of a prepared statement. */
const PREPARED_CODES = new Set([
  '26000', // it forgot the statement
  '42P05', // it has one of another client
]);

/**
 * The server refused the name of a prepared statement before it did anything: without the name the statement
 * may succeed. On this connection the name is refused for ever.
 */
export function isPlanLost(error: unknown): boolean {
  return PREPARED_CODES.has(codeOf(error) ?? '') || PLAN_IS_OLD.test(messageOf(error));
}

/** The database cannot be reached, or is busy. What was asked may have happened all the same. */
export class DatabaseAway extends RetryError {}

/** The database serves again when there is room. What was asked has not happened. */
export class DatabaseFull extends HaltError {
  constructor(message: string) {
    super(message, 'database');
  }
}

/**
 * Turns an error of the database into one that says what the bot must do. It retries when the database cannot
 * be reached or is busy. It halts when the disk is full or when the database refused a statement: that is a
 * bug, and the bot must not spend money after a bug.
 *
 * The result has no `cause`, because TypeORM's errors hold the parameters of the statement.
 *
 * @param scrub removes the secrets of the connection from the words of the server.
 */
export function databaseError(error: unknown, scrub = (text: string): string => text): ChimeraError {
  if (error instanceof ChimeraError) return error;
  const code = codeOf(error);
  const message = code?.startsWith(LOGIN) ? 'it refuses the login' : scrub(messageOf(error));
  if (code === DISK_FULL) return new DatabaseFull(`the disk of the database is full: ${message}`);
  const transient =
    (code === undefined ? LOST_CONNECTION.test(message) : isTransient(code)) || PLAN_IS_OLD.test(message);
  return transient
    ? new DatabaseAway(`the database does not serve: ${message || String(code)}`)
    : new HaltError(`the database refused a statement: ${message}`);
}

function isTransient(code: string): boolean {
  if (TRANSIENT_CODES.has(code) || NETWORK_CODE.test(code)) return true;
  return code.length === 5 && TRANSIENT_CLASSES.has(code.slice(0, 2));
}

function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}
