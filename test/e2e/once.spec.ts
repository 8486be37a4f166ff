import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoBorrowers } from '../../devnet/borrowers/borrowers.js';
import { operatorPrivateKey } from '../../devnet/devnet.js';
import { DEMO_SCENARIO, playStep } from '../../devnet/prices/scenario.js';
import { botConfig, type BotSettings } from '../../devnet/stack/bot-config.js';
import { Stack } from '../../devnet/stack/stack.js';

const command = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const BORROWERS = 12;

interface Ended {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly err: string;
}

let stack: Stack;
let directory: string;
let step = 0;

beforeAll(async () => {
  stack = await Stack.start({ borrowers: demoBorrowers(BORROWERS) });
  directory = await mkdtemp(join(tmpdir(), 'chimera-once-'));
  await chmod(directory, 0o755);
  await stack.devnet.startMining(500);
}, 120_000);

afterAll(async () => {
  await stack.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Runs `npx chimera once` with a configuration of its own. */
async function look(settings: BotSettings, ...words: string[]): Promise<Ended> {
  const { devnet, postgres, keys } = stack;
  const { host, port, database, user, password } = postgres;
  const file = join(directory, 'once.yaml');
  const journalDir = join(directory, 'journal');
  await writeFile(file, botConfig(devnet, { host, port, database, journalDir }, keys, settings));
  const child = spawn(process.execPath, [command, 'once', '--config', file, ...words], {
    cwd: directory,
    env: {
      PATH: process.env['PATH'],
      RPC_PRIMARY_HTTP: devnet.rpcUrl,
      RPC_PRIMARY_WS: devnet.wsUrl,
      DB_USER: user,
      DB_PASSWORD: password.reveal(),
      OPERATOR_PRIVATE_KEY: operatorPrivateKey,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (texts.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (texts.err += chunk.toString()));
  await once(child, 'close');
  return { code: child.exitCode, lines: texts.out.trim().split('\n'), err: texts.err };
}

const summaryOf = ({ lines }: Ended): unknown => JSON.parse(lines.at(-1) ?? '');
const sentByOperator = (): Promise<number> =>
  stack.devnet.provider.getTransactionCount(stack.devnet.accounts.operator);

async function pricesFall(): Promise<void> {
  for (; step < 3; step += 1) await playStep(stack.devnet, DEMO_SCENARIO[step]!);
}

describe('npx chimera once', { timeout: 60_000 }, () => {
  it('ends with 0 where no position is below 1', async () => {
    const ended = await look({ mode: 'dry-run' }, '--json');
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(summaryOf(ended)).toMatchObject({
      ...{ event: 'once-ended', result: 'nothing', mode: 'dry-run' },
      ...{ positions: BORROWERS, liquidatable: 0, planned: 0, sent: 0 },
    });
  });

  it('ends with 2 where all that are below 1 are left alone, and says why', async () => {
    await pricesFall();
    const ended = await look({ mode: 'dry-run', minProfitUsd: '1000000' });
    expect(ended).toMatchObject({ code: 2, err: '' });
    expect(ended.lines.join(' ')).toMatch(/Left alone \(bonus-below-floor\): \d/);
    const again = await look({ mode: 'dry-run', minProfitUsd: '1000000' }, '--json');
    expect(summaryOf(again)).toMatchObject({ result: 'left', planned: 0, positions: BORROWERS });
  });

  it('with execution.mode: live and without --live it plans, sends nothing, says so, and ends with 3', async () => {
    const before = await sentByOperator();
    const ended = await look({ mode: 'live' });
    expect(ended).toMatchObject({ code: 3, err: '' });
    expect(ended.lines[0]).toBe('execution.mode is live, and --live was not given: nothing is sent.');
    expect(ended.lines.join('\n')).toMatch(/^→ /m);
    expect(ended.lines.join(' ')).toMatch(/It would have liquidated [1-9]\d* positions?: \$/);
    expect(await sentByOperator()).toBe(before);
    expect(await stack.query("SELECT 1 FROM executions WHERE mode = 'live'")).toEqual([]);
  });

  it('with --live it liquidates, follows that to its end, and ends with 3', async () => {
    const ended = await look({ mode: 'live' }, '--live', '--json');
    expect(ended).toMatchObject({ code: 3, err: '' });
    const summary = summaryOf(ended) as { sent: number; won: number };
    expect(summary).toMatchObject({ result: 'done', mode: 'live' });
    expect(summary.sent).toBeGreaterThan(0);
    expect(summary.won).toBe(summary.sent);
    expect(await sentByOperator()).toBe(summary.sent);
    const rows = await stack.query<{ status: string }>("SELECT status FROM executions WHERE mode = 'live'");
    const won = rows.filter(({ status }) => status === 'succeeded');
    expect(won).toHaveLength(summary.won);
  });

  it('refuses --live where execution.mode is dry-run, and a time that is none', async () => {
    const refused = await look({ mode: 'dry-run' }, '--live');
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('execution.mode: dry-run; live was expected');
    expect((await look({}, '--within', 'soon')).err).toContain('--within soon: a time such as');
  });

  it('a dry run does not start while a bot signs with its database: it would share its safety state', async () => {
    const bot = await stack.startBot();
    const refused = await look({ mode: 'live' });
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/\/\d+\/\w+ signs with this database, and a dry run would share/);
    await bot.stop();
    expect((await look({ mode: 'live' })).code).not.toBe(1);
  });

  it('ends with 1 where it did not look at everything in time', async () => {
    await stack.devnet.stopMining();
    const ended = await look({ mode: 'dry-run' }, '--within', '4s');
    await stack.devnet.startMining(500);
    expect(ended.code).toBe(1);
    expect(ended.err).toContain('before every position was looked at');
  });
});
