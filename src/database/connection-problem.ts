import { messageOf } from '../domain/errors.js';
import { CONNECT_TIMEOUT_MS, type DatabaseAddress } from './data-source.js';
import { ClearTextPasswordRefused } from './password-guard.js';
import { LoginScrubber } from './server-words.js';
import { NO_TLS } from './tls.js';

const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be looked up',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no route to the host',
  ENETUNREACH: 'there is no route to the network',
  ECONNRESET: 'the connection was reset',
};

/** What Node says of a certificate that it does not accept. */
const CERTIFICATE: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its authority is not known',
  UNABLE_TO_GET_ISSUER_CERT: 'its authority is not known',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its authority is not known',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its authority is not known',
  CERT_SIGNATURE_FAILURE: 'its authority is another one',
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is for another host name',
};

const REFUSES_LOGIN = new Set(['28P01', '28000']);
const NO_SUCH_DATABASE = '3D000';
/** It starts, shuts down or recovers: SQLSTATE 57P01 to 57P03. */
const IN_BETWEEN = /^57P0[1-3]$/;
const TOO_MANY = '53300';
/** How servers and poolers say that they accept encrypted connections only. */
const DEMANDS_TLS =
  /no encryption|ssl off|(ssl|tls)( connection| encryption)? (is )?(required|needed)|requires? (an? )?(ssl|tls)|sslmode=require|connection is insecure/i;

/**
 * Why a connection failed, in one sentence. The server's own words about a login are left out, because they
 * name the user.
 */
export function connectionProblem(address: DatabaseAddress, error: unknown): string {
  return `database at ${address.host}:${address.port} ${new LoginScrubber(address).scrub(whatIsWrong(address, error))}`;
}

function whatIsWrong({ database, tls = NO_TLS }: DatabaseAddress, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = messageOf(error);
  if (error instanceof ClearTextPasswordRefused)
    return 'asks for the password in clear text, and the connection has no TLS: nothing was sent; set database.ssl to verify-full';
  if (tls.mode === 'off' && DEMANDS_TLS.test(message))
    return 'accepts encrypted connections only; set database.ssl to verify-full, or to require';
  if (/does not support SSL/.test(message))
    return `does not speak TLS, but database.ssl is ${tls.mode}; turn TLS on at the server, or set database.ssl to off`;
  const certificate = CERTIFICATE[code];
  if (certificate !== undefined)
    return `shows a certificate that is not accepted: ${certificate}; set database.sslCa to the file of its authority, and database.host to the name in the certificate`;
  if (REFUSES_LOGIN.has(code))
    return 'refuses the login; the user and the password of DB_USER and DB_PASSWORD were expected to be its own';
  if (code === NO_SUCH_DATABASE)
    return `has no database "${database}"; create it, or name another in database.name`;
  if (IN_BETWEEN.test(code)) return 'is starting or shutting down; start the bot again when it is up';
  if (code === TOO_MANY) return 'has no connection left for the bot; it needs up to 11';
  if (/there is none|password must be a string/i.test(message)) return 'asks for a password; set DB_PASSWORD';
  if (/timeout/i.test(message)) return `cannot be reached: no answer within ${CONNECT_TIMEOUT_MS / 1000} s`;
  return `cannot be reached: ${UNREACHABLE[code] ?? (code || firstLine(message))}`;
}

function firstLine(message: string): string {
  return message.split('\n')[0] ?? '';
}
