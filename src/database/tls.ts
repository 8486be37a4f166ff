import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ServerDatabaseConfig } from '../config/index.js';
import { messageOf, StartupError } from '../domain/errors.js';

/** How a connection to the server is encrypted. `ca` is PEM text; undefined means the list of Node. */
export type DatabaseTls =
  | { readonly mode: 'off' }
  | { readonly mode: 'require' }
  | { readonly mode: 'verify-full'; readonly ca: string | undefined };

export const NO_TLS: DatabaseTls = { mode: 'off' };

/** @throws StartupError when the file of `database.sslCa` cannot be read or holds no certificate. */
export function tlsOf({ ssl, sslCa }: Pick<ServerDatabaseConfig, 'ssl' | 'sslCa'>): DatabaseTls {
  if (ssl !== 'verify-full') return { mode: ssl };
  return { mode: ssl, ca: sslCa === undefined ? undefined : readAuthority(sslCa) };
}

/**
 * The `ssl` option of pg. It is never undefined, because pg would then read PGSSLMODE from the environment.
 * pg compares the certificate with the host's name by itself.
 */
export function sslOption(tls: DatabaseTls): false | { rejectUnauthorized: boolean; ca?: string } {
  if (tls.mode === 'off') return false;
  if (tls.mode === 'require') return { rejectUnauthorized: false };
  return { rejectUnauthorized: true, ...(tls.ca !== undefined && { ca: tls.ca }) };
}

function readAuthority(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : messageOf(error);
    throw new StartupError([`database.sslCa: the file ${path} cannot be read (${code})`]);
  }
  try {
    new X509Certificate(text);
    return text;
  } catch {
    throw new StartupError([
      `database.sslCa: the file ${path} holds no certificate; the authority's certificate in PEM form was expected`,
    ]);
  }
}
