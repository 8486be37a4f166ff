import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEMO_SCENARIO, demoBorrowers, operatorPrivateKey, playStep } from '../../devnet/index.js';
import { botConfig } from '../../devnet/stack/bot-config.js';
import type { BotProcess } from '../../devnet/stack/bot-process.js';
import { Stack } from '../../devnet/stack/stack.js';
import type { ExecutionDetail } from '../../src/api/execution-detail.js';
import type { PositionsPage } from '../../src/api/positions-answer.js';
import type { StatusAnswer } from '../../src/api/status-answer.js';
import type { SteeringAnswer, WorkingLimitsAnswer } from '../../src/api/steering-answer.js';
import { eventually } from '../../testing/eventually.js';
import { runCommand, type CommandEnd } from './command-line.js';
import { allSettled, minedCount } from './operator.js';

let stack: Stack;
let bot: BotProcess;
let directory: string;

beforeAll(async () => {
  stack = await Stack.start({ borrowers: demoBorrowers(16) });
  directory = mkdtempSync(join(tmpdir(), 'chimera-commands-'));
  const { host, port, database } = stack.postgres;
  const journalDir = join(directory, 'journal');
  writeFileSync(
    join(directory, 'chimera.yaml'),
    botConfig(stack.devnet, { host, port, database, journalDir }, stack.keys),
  );
  bot = await stack.startBot();
  await stack.devnet.startMining(250);
  const settled = bot.waitFor('execution-settled', ({ outcome }) => outcome === 'won');
  await play(0, 1);
  await settled;
  await allSettled(stack);
});

afterAll(async () => {
  await stack.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function play(...steps: readonly number[]): Promise<void> {
  for (const at of steps) {
    const step = DEMO_SCENARIO[at];
    if (step) await playStep(stack.devnet, step);
  }
}

/** The words after `npx chimera`, as an operator types them. */
function chimera(line: string, key = stack.keys.operator): Promise<CommandEnd> {
  const { user, password } = stack.postgres;
  const words = (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''));
  return runCommand(words, {
    CHIMERA_CONFIG: join(directory, 'chimera.yaml'),
    CHIMERA_API_KEY: key,
    RPC_PRIMARY_HTTP: stack.devnet.rpcUrl,
    RPC_PRIMARY_WS: stack.devnet.wsUrl,
    DB_USER: user,
    DB_PASSWORD: password.reveal(),
    OPERATOR_PRIVATE_KEY: operatorPrivateKey,
  });
}

/** A command that asks the API of the bot. */
const ask = (line: string, key?: string): Promise<CommandEnd> =>
  chimera(`${line} --url ${stack.apiUrl}`, key);

/** What a command printed; it must have ended with 0, and without a remark. */
async function printed(running: Promise<CommandEnd>): Promise<string> {
  const { code, out, err } = await running;
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out;
}

async function answered<Answer>(running: Promise<CommandEnd>): Promise<Answer> {
  return JSON.parse(await printed(running)) as Answer;
}

async function ofApi<Answer>(route: string): Promise<Answer> {
  const { status, body } = await stack.api(route);
  expect(status).toBe(200);
  return body as Answer;
}

/** The audit trail since a row: who did what, and why. */
const actionsAfter = (id: string): Promise<readonly object[]> =>
  stack.query('SELECT actor, role, action, reason FROM operator_actions WHERE id > $1 ORDER BY id', [id]);

async function lastAction(): Promise<string> {
  const [row] = await stack.query<{ id: string }>(
    'SELECT coalesce(max(id), 0)::text AS id FROM operator_actions',
  );
  return row?.id ?? '0';
}

describe('npx chimera with a running bot', () => {
  it('status: says what the API says', async () => {
    const [text, json] = await Promise.all([
      printed(ask('status', stack.keys.viewer)),
      answered<StatusAnswer>(ask('status --json', stack.keys.viewer)),
    ]);
    expect(text).toMatch(/^bot +devnet \(chain 31337\), live, running, lease: leader$/m);
    expect(text).toMatch(/^state +NORMAL for /m);
    expect(text).toMatch(/^outcomes +in 24 h [1-9]\d* won, /m);
    const { network, mode, safety, limits } = await ofApi<StatusAnswer>('/api/v1/status');
    expect(json).toMatchObject({ network, mode, safety });
    expect(json.limits.maxDailyVolumeUsd).toBe(limits.maxDailyVolumeUsd);
  });

  it('halt: from then on nothing is signed; resume: the same positions are liquidated', async () => {
    const before = await lastAction();
    const text = await printed(ask('halt --reason "looking into it" --yes'));
    expect(text).toMatch(/^HALTED since .*, by demo: looking into it\n$/);
    const mined = await minedCount(stack);
    const leftAlone = bot.waitFor('position-skipped', ({ reason }) => reason === 'halted');
    await play(2, 3);
    await leftAlone;
    await bot.waitFor('pass');
    expect(await minedCount(stack)).toBe(mined);

    expect(await answered(ask('resume --reason "all is well" --yes --json'))).toMatchObject({
      state: 'NORMAL',
      actor: 'demo',
    });
    await eventually(async () => (await minedCount(stack)) > mined, 'sending to go on');
    expect(await actionsAfter(before)).toEqual([
      { actor: 'demo', role: 'operator', action: 'halt', reason: 'looking into it' },
      { actor: 'demo', role: 'operator', action: 'resume', reason: 'all is well' },
    ]);
  });

  it('an order ends with 1 and does nothing: without a reason, without --yes, with a key that may not', async () => {
    const before = await lastAction();
    const ends = await Promise.all([
      ask('halt --yes'),
      ask('halt --reason r'),
      ask('halt --reason r --yes', stack.keys.viewer),
      ask('resume --reason r --yes', 'a-key-of-nobody-0123456789'),
      chimera('halt --reason r --yes --url http://127.0.0.1:65000'),
    ]);
    expect(ends.map(({ code, out }) => ({ code, out }))).toEqual(ends.map(() => ({ code: 1, out: '' })));
    expect(ends.map(({ err }) => err.trimEnd())).toEqual([
      'chimera halt: --reason: a text of 1 to 500 characters was expected',
      'chimera halt: --yes: it was expected, because there is no terminal to confirm on',
      'chimera halt: CHIMERA_API_KEY: the role operator is needed, the key "reader" has the role viewer',
      expect.stringMatching(/^chimera resume: CHIMERA_API_KEY: the bot at \S+ does not know this key: /),
      expect.stringMatching(/^chimera halt: no bot answers at http:\/\/127\.0\.0\.1:65000 \(ECONNREFUSED\)/),
    ]);
    for (const { err } of ends) for (const key of Object.values(stack.keys)) expect(err).not.toContain(key);
    expect(await actionsAfter(before)).toEqual([]);
    expect((await ofApi<StatusAnswer>('/api/v1/status')).safety.state).toBe('NORMAL');
  });

  it('limits: shows them, narrows them, and sets them back; a wider one is refused', async () => {
    const before = await lastAction();
    expect(await printed(ask('limits', stack.keys.viewer))).toMatch(
      /^maxDailyVolumeUsd +\$100,000,000\.00 \(configured: \$100,000,000\.00\)$/m,
    );
    const narrowed = await answered<WorkingLimitsAnswer>(
      ask('limits --set maxDailyVolumeUsd=1000 minProfitUsd=10 --reason "a quiet week" --yes --json'),
    );
    expect(await ofApi('/api/v1/limits')).toEqual(narrowed);
    expect(narrowed.limits).toContainEqual(
      expect.objectContaining({ name: 'maxDailyVolumeUsd', valueUsd: '1000' }),
    );
    expect(
      await stack.query("SELECT name, value::text, actor FROM steering WHERE kind = 'limit' ORDER BY name"),
    ).toEqual([
      { name: 'maxDailyVolumeUsd', value: '100000000000', actor: 'demo' },
      { name: 'minProfitUsd', value: '1000000000', actor: 'demo' },
    ]);
    const wider = await ask('limits --set maxDailyVolumeUsd=100000001 --reason more --yes');
    expect(wider).toMatchObject({ code: 1, out: '' });
    expect(wider.err).toMatch(/^chimera limits: .* 400: maxDailyVolumeUsd must be at most 100000000, /);
    const back =
      'limits --set maxDailyVolumeUsd=configured minProfitUsd=configured --reason "it is over" --yes';
    expect(await printed(ask(back))).toMatch(/^minProfitUsd +\$5\.00 \(configured: \$5\.00\)$/m);
    expect(await stack.query('SELECT name FROM steering')).toEqual([]);
    const [of, reasons] = [{ actor: 'demo', action: 'limits' }, [/a quiet week/, /it is over/]];
    expect(await actionsAfter(before)).toEqual(
      reasons.flatMap((reason) =>
        [1, 2].map(
          () => expect.objectContaining({ ...of, reason: expect.stringMatching(reason) as string }) as object,
        ),
      ),
    );
  });

  it('positions list: lists what the API has near the edge', async () => {
    const [few, all, wrong, { positions }] = await Promise.all([
      ask('positions list --below 1.1 --limit 3', stack.keys.viewer),
      ask('positions list --below 1.1 --json', stack.keys.viewer),
      ask('positions list --below 9'),
      ofApi<PositionsPage>('/api/v1/positions?below=1.1&limit=200'),
    ]);
    expect([few.code, all.code, wrong.code]).toEqual([0, 0, 1]);
    expect(few.err).toMatch(/^\d+ positions? below 1\.1 at block \d+/);
    const json = JSON.parse(all.out) as PositionsPage;
    const borrowers = positions.map(({ borrower }) => borrower);
    expect(json.positions.map(({ borrower }) => borrower)).toEqual(borrowers);
    const listed = few.out.trimEnd().split('\n');
    expect(listed.map((line) => line.trim().split(/ +/)[1])).toEqual(borrowers.slice(0, 3));
  });

  it('protocols pause: nothing of the market is liquidated until protocols resume', async () => {
    const before = await lastAction();
    expect(await printed(ask('protocols pause aave --reason "odd prices" --yes'))).toBe(
      'paused  aave: odd prices (demo)\n',
    );
    await allSettled(stack);
    const mined = await minedCount(stack);
    const leftAlone = bot.waitFor('position-skipped', ({ reason }) => reason === 'protocol-paused');
    await play(5);
    await leftAlone;
    expect(await minedCount(stack)).toBe(mined);
    const none = { limits: [], paused: [], denied: [] };
    expect(await answered<SteeringAnswer>(ask('protocols resume aave --reason right --yes --json'))).toEqual(
      none,
    );
    await eventually(async () => (await minedCount(stack)) > mined, 'the market to be served again');
    const of = { actor: 'demo', role: 'operator' };
    expect(await actionsAfter(before)).toMatchObject([
      { ...of, action: 'pause', reason: expect.stringContaining('odd prices') as string },
      { ...of, action: 'resume-protocol', reason: expect.stringContaining('right') as string },
    ]);
  });

  it('borrowers deny and allow: the bot knows them, and the audit trail', async () => {
    const before = await lastAction();
    const borrower = (stack.borrowers[0]?.account ?? '').toLowerCase();
    const denied = await answered<SteeringAnswer>(
      ask(`borrowers deny ${borrower} --reason odd --yes --json`),
    );
    expect(denied.denied).toMatchObject([{ borrower, reason: 'odd', actor: 'demo' }]);
    expect((await ofApi<StatusAnswer>('/api/v1/status')).steering).toEqual(denied);
    expect(await printed(ask(`borrowers allow ${borrower} --reason fine --yes`))).toBe(
      'no market is paused, and no borrower is denied\n',
    );
    expect(await actionsAfter(before)).toMatchObject([{ action: 'deny' }, { action: 'allow' }]);
  });

  it('explain and report: tell what the rows of the database hold', async () => {
    await allSettled(stack);
    const rows = await stack.query<{ id: string; outcome: string; profit: string | null }>(
      'SELECT id::text, outcome, realised_profit_usd::text AS profit FROM executions WHERE outcome IS NOT NULL ORDER BY id',
    );
    const won = rows.find(({ outcome }) => outcome === 'won');
    const id = won?.id ?? '0';
    const [text, detail, none] = await Promise.all([
      printed(chimera(`explain ${id}`)),
      answered<ExecutionDetail>(chimera(`explain ${id} --json`)),
      chimera('explain 999999'),
    ]);
    expect(text).toMatch(new RegExp(`^execution +${id}, live, succeeded$`, 'm'));
    expect(text).toMatch(/^outcome +won at /m);
    expect(detail).toEqual(await ofApi(`/api/v1/executions/${id}`));
    expect(none).toEqual({
      code: 1,
      out: '',
      err: 'chimera explain: the database has no execution 999999\n',
    });

    const [told, csv, json] = await Promise.all([
      printed(chimera('report --since 1d')),
      printed(chimera('report --since 1d --format csv')),
      answered<{ figures: { outcomes: { outcome: string; count: number }[] } }>(
        chimera('report --since 1d --json'),
      ),
    ]);
    expect(told.split('\n').length).toBeGreaterThan(3);
    const [head = '', ...lines] = csv.trimEnd().split(/\r?\n/);
    const column = (name: string): number => head.split(',').indexOf(name);
    expect(lines.map((line) => line.split(',')[column('id')])).toEqual(rows.map((row) => row.id));
    const sum = (values: readonly string[]): number => values.reduce((total, one) => total + Number(one), 0);
    const realised = lines.map((line) => line.split(',')[column('realised_profit_usd')] ?? '');
    expect(sum(realised)).toBeCloseTo(sum(rows.map(({ profit }) => profit ?? '0')), 6);
    const wins = json.figures.outcomes.filter(({ outcome }) => outcome === 'won');
    expect(wins.reduce((total, { count }) => total + count, 0)).toBe(
      rows.filter(({ outcome }) => outcome === 'won').length,
    );
  });

  it('doctor: finds no problem beside a running bot, and says what a first live run lacks', async () => {
    const [text, live] = await Promise.all([chimera('doctor'), chimera('doctor --live --json')]);
    expect(text.out).not.toMatch(/^ {2}XX/m);
    expect(text).toMatchObject({ code: 0, err: '' });
    const { well, checks } = JSON.parse(live.out) as {
      well: boolean;
      checks: { area: string; name: string; verdict: string }[];
    };
    expect({ code: live.code, well }).toEqual({ code: 1, well: false });
    const lacks = checks.filter(({ verdict }) => verdict === 'problem').map(({ area }) => area);
    expect(new Set(lacks)).toEqual(new Set(['live']));
  });
});
