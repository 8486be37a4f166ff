import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { demoBorrowers, operatorPrivateKey } from '../../devnet/index.js';
import { Stack } from '../../devnet/stack/stack.js';
import { eventually } from '../../testing/eventually.js';

let stack: Stack;
let directory: string;

beforeAll(async () => {
  stack = await Stack.start({ borrowers: demoBorrowers(2) });
  directory = await mkdtemp(join(tmpdir(), 'chimera-listing-'));
});

afterAll(async () => {
  await stack.stop();
  await rm(directory, { recursive: true, force: true });
});

const key = operatorPrivateKey.replace(/^0x/, '');

/** What Node writes down about a running process when it is asked to. */
async function reportOf(pid: number): Promise<string> {
  process.kill(pid, 'SIGWINCH');
  let text = '';
  await eventually(async () => {
    const [file] = (await readdir(directory)).filter((name) => name.endsWith('.json'));
    if (file === undefined) return false;
    text = await readFile(join(directory, file), 'utf8');
    return text.trimEnd().endsWith('}');
  }, 'the report');
  return text;
}

it('A19 the listing of the process, its environment and a report of it hold no secret', async () => {
  const password = stack.postgres.password.reveal();
  const token = '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawT';
  const file = join(directory, 'operator_private_key');
  await writeFile(file, operatorPrivateKey, { mode: 0o600 });
  // One secret is in a file, the others are in variables, as an operator may have them.
  const bot = await stack.startBot(undefined, {
    sections:
      "alerts: { channels: [{ name: chat, kind: telegram, chatId: '1', apiRoot: 'http://127.0.0.1:1' }] }\n",
    variables: {
      OPERATOR_PRIVATE_KEY: '',
      OPERATOR_PRIVATE_KEY_FILE: file,
      TELEGRAM_BOT_TOKEN: token,
      NODE_OPTIONS: `--report-on-signal --report-signal=SIGWINCH --report-directory=${directory}`,
    },
  });
  const listed = await readFile(`/proc/${bot.pid}/cmdline`, 'utf8');
  const environment = await readFile(`/proc/${bot.pid}/environ`, 'utf8');
  expect(environment).toContain(file);
  // The system keeps what the process began with: docs/faults.md. A file keeps it out.
  expect(environment).not.toContain(key);
  const report = await reportOf(bot.pid);
  const { environmentVariables } = JSON.parse(report) as { environmentVariables: Record<string, string> };
  expect(Object.keys(environmentVariables)).toContain('CHIMERA_CONFIG');
  for (const name of ['DB_PASSWORD', 'DB_USER', 'TELEGRAM_BOT_TOKEN', 'OPERATOR_PRIVATE_KEY'])
    expect(environmentVariables, name).not.toHaveProperty(name);
  for (const secret of [key, password, token, stack.keys.operator, stack.keys.viewer])
    for (const text of [listed, report]) expect(text).not.toContain(secret);
  expect((await bot.stop()).code).toBe(0);
});
