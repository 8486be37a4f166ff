import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Files of an authority and of a server for the name `localhost` and the address 127.0.0.1. */
export interface Certificates {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** Makes an authority of its own in the directory, and a certificate that it signed. */
export function makeCertificates(directory: string, name: string): Certificates {
  const file = (ending: string): string => join(directory, `${name}.${ending}`);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'ignore' });
  const newKey = ['-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-subj',
    `/CN=${name}`,
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca.crt'),
  );
  openssl(
    'req',
    ...newKey.slice(0, 3),
    '-subj',
    '/CN=localhost',
    '-keyout',
    file('key'),
    '-out',
    file('csr'),
  );
  writeFileSync(file('ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  const signing = [
    '-CA',
    file('ca.crt'),
    '-CAkey',
    file('ca.key'),
    '-CAcreateserial',
    '-extfile',
    file('ext'),
  ];
  openssl('x509', '-req', '-days', '2', '-in', file('csr'), ...signing, '-out', file('crt'));
  return {
    ca: file('ca.crt'),
    certificate: readFileSync(file('crt'), 'utf8'),
    key: readFileSync(file('key'), 'utf8'),
  };
}

let shared: Certificates | undefined;

/** The same for all servers of this process: to make some takes seconds on a busy machine. */
export function sharedCertificates(): Certificates {
  if (shared) return shared;
  const directory = mkdtempSync(join(tmpdir(), 'certificates-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  return (shared = makeCertificates(directory, 'shared'));
}
