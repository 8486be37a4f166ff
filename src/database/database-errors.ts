import { ChimeraError, HaltError, messageOf, RetryError } from '../domain/errors.js';

/** SQLSTATE classes and codes of conditions that pass: the same statement may succeed later. */
const PASSING_CLASSES = new Set(['08', '40', '53', '57', '58']);
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
/** What pg and its pool say, without a code, of a connection that is gone or did not come in time. */
const LOST_CONNECTION =
  /connection terminated|timeout exceeded when trying to connect|connection.*closed|connection error|query read timeout|cannot use a pool after/i;

/**
 * What the bot must do about an error of the database: retry when it is away or busy, halt when its disk is full or
 * when it refused a statement (which is a bug, and a bug must not go on spending).
 *
 * The result has no `cause`: the errors of TypeORM carry the statement's parameters.
 */
export function databaseError(error: unknown): ChimeraError {
  if (error instanceof ChimeraError) return error;
  const code = codeOf(error);
  const message = messageOf(error);
  if (code === DISK_FULL) return new HaltError(`the disk of the database is full: ${message}`);
  const passing = code === undefined ? LOST_CONNECTION.test(message) : isPassing(code);
  return passing
    ? new RetryError(`the database does not serve: ${message || String(code)}`)
    : new HaltError(`the database refused a statement: ${message}`);
}

function isPassing(code: string): boolean {
  return (
    NETWORK_CODES.has(code) ||
    code === LOCK_NOT_AVAILABLE ||
    (code.length === 5 && PASSING_CLASSES.has(code.slice(0, 2)))
  );
}

function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}
