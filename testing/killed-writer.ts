import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'vitest';
import type { ProxiedDatabase } from './database.js';

/** The root of the repository. */
const ROOT = new URL('..', import.meta.url).href;

/**
 * Another process that writes to the database. Its code finds `source`, a connection through the proxy,
 * `open`, which opens a journal, and `load`, which imports a file of src/ or testing/. `say('cut')` takes the
 * database away, and then ends the standard input of the process. The code ends with `die()`, a SIGKILL.
 *
 * @returns what it said, line by line
 */
export async function killedWriter(
  { proxy, behind }: ProxiedDatabase,
  directory: string,
  code: string,
): Promise<string[]> {
  const { user, password, database } = behind.server;
  const address = { host: '127.0.0.1', port: proxy.port, user, database };
  const whole = `
    const { writeSync } = await import('node:fs');
    const load = (file) => import(new URL(file, ${JSON.stringify(ROOT)}).href);
    const { createDataSource } = await load('src/database/index.ts');
    const { Secret } = await load('src/domain/secret.ts');
    const { SecretScrubber } = await load('src/domain/secret-forms.ts');
    const { Journal } = await load('src/journal/index.ts');
    const password = new Secret(${JSON.stringify(password.reveal())});
    const source = await createDataSource({ ...${JSON.stringify(address)}, password }).initialize();
    const open = (name, parse, formerName) => Journal.open(
      { directory: ${JSON.stringify(directory)}, name, parse, formerName, secrets: new SecretScrubber([]) });
    const say = (text) => writeSync(1, text + '\\n');
    const die = () => process.kill(process.pid, 'SIGKILL');
    ${code}`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', whole], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    if (!said.endsWith('cut\n')) return;
    proxy.become({ kind: 'away' });
    child.stdin.end();
  });
  expect(await once(child, 'close')).toEqual([null, 'SIGKILL']);
  return said.trim().split('\n');
}
