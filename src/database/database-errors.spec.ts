import { describe, expect, it } from 'vitest';
import { consequenceOf, RetryError } from '../domain/errors.js';
import { databaseError } from './database-errors.js';

const coded = (code: string, message = 'some words'): Error => Object.assign(new Error(message), { code });

describe('F54 what the bot does after an error of the database', () => {
  it.each([
    // The server restarts, is full, or lost its place.
    ...['57P01', '57P02', '57P03', '57P05', '57014', '53300', '53200', '53000', '58000', '58030'],
    ...['25006', '25P03', '25P04', '40001', '40P01', '55P03', '08000', '08001', '08003', '08006', '08P01'],
    // A login that is being changed, or a hosted server that is away.
    ...['28P01', '28000', '3D000', 'XX000'],
    // The network of this machine.
    ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'],
    ...[
      'EHOSTUNREACH',
      'EHOSTDOWN',
      'ENETUNREACH',
      'ENETDOWN',
      'ENETRESET',
      'EADDRNOTAVAIL',
      'EMFILE',
      'ENFILE',
    ],
    ...[
      'ENOBUFS',
      'EPROTO',
      'ERR_SSL_WRONG_VERSION_NUMBER',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'CERT_HAS_EXPIRED',
    ],
    ...['SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'ERR_STREAM_DESTROYED'],
  ])('%s passes: it tries again', (code) => {
    expect(consequenceOf(databaseError(coded(code)))).toBe('retry');
  });

  it.each([
    'Connection terminated unexpectedly',
    'Connection terminated',
    'Connection terminated due to connection timeout',
    'Client was closed and is not queryable',
    'Client has encountered a connection error and is not queryable',
    'timeout exceeded when trying to connect',
    'timeout expired',
    'Query read timeout',
    'Query runner already released. Cannot run queries anymore.',
    'Database connection provided by a query runner was already released, cannot continue to use its querying methods anymore.',
    'Cannot use a pool after calling end on the pool',
    'The server does not support SSL connections',
    'There was an error establishing an SSL connection',
    'Client network socket disconnected before secure TLS connection was established',
    'This socket has been ended by the other party',
  ])('"%s" passes: it tries again', (message) => {
    expect(databaseError(new Error(message))).toBeInstanceOf(RetryError);
  });

  it.each(['42P01', '42703', '22P02', '23505', '23503', '42501', '53100', 'XX001', 'P0001', '25P02'])(
    '%s is a bug, a full disk or a broken table: it halts',
    (code) => {
      expect(consequenceOf(databaseError(coded(code)))).toBe('halt');
    },
  );

  it('an unknown error halts, and a plan that became old by a migration is made again', () => {
    expect(consequenceOf(databaseError(new TypeError('x is not a function')))).toBe('halt');
    expect(consequenceOf(databaseError(coded('0A000', 'cached plan must not change result type')))).toBe(
      'retry',
    );
    expect(consequenceOf(databaseError(coded('0A000', 'not implemented')))).toBe('halt');
  });

  it('the words of a refused login stay inside, because they name the user', () => {
    const error = databaseError(coded('28P01', 'password authentication failed for user "the-user"'));
    expect(error.message).toBe('the database does not serve: it refuses the login');
  });
});
