import { ChimeraError, HaltError, messageOf, RetryError } from '../domain/errors.js';

/** SQLSTATE classes of conditions that pass: the same statement may succeed later. */
const TRANSIENT_CLASSES = new Set(['08', '40', '53', '57', '58']);
const DISK_FULL = '53100';
const LOCK_NOT_AVAILABLE = '55P03';
/** Codes of Node for a connection that could not be made or broke. */
const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
/** What pg and its pool say, without a code, when a connection was lost or did not come in time. */
const LOST_CONNECTION =
  /connection terminated|timeout exceeded when trying to connect|connection.*closed|connection error|query read timeout|cannot use a pool after/i;

/**
 * Turns an error of the database into one that says what the bot must do. It retries when the database cannot
 * be reached or is busy. It halts when the disk is full or when the database refused a statement: that is a
 * bug, and the bot must not spend money after a bug.
 *
 * The result has no `cause`, because TypeORM's errors hold the parameters of the statement.
 */
export function databaseError(error: unknown): ChimeraError {
  if (error instanceof ChimeraError) return error;
  const code = codeOf(error);
  const message = messageOf(error);
  if (code === DISK_FULL) return new HaltError(`the disk of the database is full: ${message}`);
  const transient = code === undefined ? LOST_CONNECTION.test(message) : isTransient(code);
  return transient
    ? new RetryError(`the database does not serve: ${message || String(code)}`)
    : new HaltError(`the database refused a statement: ${message}`);
}

function isTransient(code: string): boolean {
  return (
    NETWORK_CODES.has(code) ||
    code === LOCK_NOT_AVAILABLE ||
    (code.length === 5 && TRANSIENT_CLASSES.has(code.slice(0, 2)))
  );
}

function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}
