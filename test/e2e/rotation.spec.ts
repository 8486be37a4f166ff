import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Devnet, operatorPrivateKey, startDevnet } from '../../devnet/index.js';
import { botConfig, newApiKeys } from '../../devnet/stack/bot-config.js';
import { startPostgres } from '../../devnet/stack/postgres.js';
import { BotProcess } from '../../devnet/stack/bot-process.js';
import type { EventNamed } from '../../src/domain/events/events.js';
import type { EmbeddedPostgres } from '../../src/embedded-postgres/index.js';
import { eventually } from '../../testing/eventually.js';
import { AwsServer } from '../../testing/nodes/aws.js';
import { FakeRpc } from '../../testing/nodes/fake-rpc.js';

const FIRST = { user: 'rotated_user_1', password: 'first-password-Q7x', key: 'first-key-of-node-Q7x' };
const SECOND = { user: 'rotated_user_2', password: 'second-password-Q7x', key: 'second-key-of-node-Q7x' };
const OTHER_SIGNER = `0x${'5a'.repeat(31)}0c`;
const FORBIDDEN = ['Q7x', '5a5a5a5a5a', operatorPrivateKey.slice(2)];

const keys = newApiKeys();
let directory: string;
let devnet: Devnet;
let postgres: EmbeddedPostgres;
let aws: AwsServer;
let nodes: FakeRpc[];
let bot: BotProcess | undefined;
/** Everything that the bot wrote. */
const said: string[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'chimera-rotation-'));
  await chmod(directory, 0o755);
  [devnet, postgres, aws] = await Promise.all([
    startDevnet(),
    startPostgres(join(directory, 'postgres')),
    AwsServer.start(),
  ]);
  nodes = await Promise.all([FakeRpc.start(), FakeRpc.start()]);
  for (const node of nodes) node.forwardTo(devnet.rpcUrl);
  await query(`CREATE ROLE ${FIRST.user} LOGIN SUPERUSER PASSWORD '${FIRST.password}'`);
});

afterAll(async () => {
  await Promise.all([...nodes, aws].map((node) => node.stop()));
  await devnet.stop();
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
});

afterEach(async () => {
  await bot?.stop();
  aws.faults.clear();
});

it('secrets rotate while the bot runs: database, node; the key of the wallet waits for a start', async () => {
  await keep({ ...FIRST, node: nodes[0]! });
  const running = await launch();
  expect((await running.waitFor('secrets-read')).aws).toEqual([
    'DB_PASSWORD',
    'DB_USER',
    'OPERATOR_PRIVATE_KEY',
  ]);
  await running.waitFor('bot-started');

  // The password changes in the database and in AWS, and the old connections are cut.
  await query(`ALTER ROLE ${FIRST.user} PASSWORD '${SECOND.password}'`);
  await keep({ ...FIRST, password: SECOND.password, key: SECOND.key, node: nodes[1]! });
  aws.secrets.put('chimera/signer', OTHER_SIGNER);
  expect(await hangUp(running)).toMatchObject({
    changed: ['DB_PASSWORD', 'RPC_PRIMARY_HTTP'],
    needStart: ['OPERATOR_PRIVATE_KEY'],
    problems: [],
  });
  await nodes[0]!.stop();
  await cutConnections(FIRST.user);
  await goesOn(running, FIRST.user);
  expect(nodes[1]!.requests).toBeGreaterThan(0);
  await expect(query('SELECT 1', FIRST)).rejects.toThrow(/password authentication failed/);

  // Another user takes over, as AWS does it for two users in turn.
  await query(`CREATE ROLE ${SECOND.user} LOGIN SUPERUSER PASSWORD '${SECOND.password}'`);
  await keep({ ...SECOND, node: nodes[1]! });
  expect((await hangUp(running)).changed).toEqual(['DB_USER']);
  await query(`ALTER ROLE ${FIRST.user} NOLOGIN`);
  await cutConnections(FIRST.user);
  await goesOn(running, SECOND.user);

  // AWS fails: the old values stay, and the bot says so.
  aws.faults.set('secretsmanager', { kind: 'error', status: 500 });
  const { changed, problems } = await hangUp(running);
  expect(changed).toEqual([]);
  expect(problems).toHaveLength(3);
  await goesOn(running, SECOND.user);
  expect((await running.stop()).code).toBe(0);
  expect(said.filter((line) => FORBIDDEN.some((secret) => line.includes(secret)))).toEqual([]);
});

it('SIGHUP while the secrets are read for the first time: they are read again, and the bot starts', async () => {
  await keep({ ...SECOND, node: nodes[1]! });
  aws.faults.set('secretsmanager', { kind: 'slow', ms: 1_000 });
  const before = aws.calls.length;
  const running = await launch();
  const [reread, begun] = [running.waitFor('secrets-reread'), running.waitFor('bot-started')];
  await eventually(() => aws.calls.length > before, 'AWS to be asked');
  process.kill(running.pid, 'SIGHUP');
  expect(await reread).toMatchObject({ changed: [], needStart: [], problems: [] });
  await begun;
});

it('without AWS the bot does not start, and says which secrets it lacks and why', async () => {
  await keep({ ...SECOND, node: nodes[1]! });
  aws.faults.set('secretsmanager', { kind: 'denied' });
  const before = said.length;
  const { code } = await (await launch()).exited;
  expect(code).toBe(1);
  const problems = said.slice(before).filter((line) => line.startsWith('  - '));
  expect(problems).toHaveLength(3);
  for (const name of ['DB_USER', 'DB_PASSWORD', 'OPERATOR_PRIVATE_KEY'])
    expect(problems).toContainEqual(
      expect.stringMatching(
        `- ${name}_AWS_SECRET: AWS does not let these credentials read the secret; .* expected`,
      ),
    );
});

it('odd secrets of AWS end the start, each with one sentence that holds no value', async () => {
  await keep({ ...SECOND, node: nodes[1]! });
  const odd = {
    HUGE: 'Q7x'.repeat(21_845), // 64 KB, the most that AWS keeps
    BINARY: Buffer.from('Q7x-binary'),
    NUMBER: JSON.stringify({ password: 57_005_700 }),
    LIST: JSON.stringify(['Q7x-of-a-list']),
    EMPTY: '\n',
    DELETED: 'Q7x-of-a-deleted-one',
    DENIED: 'Q7x-that-is-denied',
  };
  for (const [name, value] of Object.entries(odd)) aws.secrets.put(`odd/${name}`, value);
  aws.secrets.deletionScheduled.add('odd/DELETED');
  aws.deniedSecrets.add('odd/DENIED');
  /** The sentences with which a start ends when one variable names this secret. */
  const problemsWith = async (variable: string, reference: string): Promise<string[]> => {
    const before = said.length;
    const running = new BotProcess({
      environment: { ...(await environment()), [`${variable}_AWS_SECRET`]: reference },
      onEvent: (event) => said.push(JSON.stringify(event)),
      onLine: (line) => said.push(line),
    });
    expect((await running.exited).code).toBe(1);
    return said.slice(before).filter((line) => line.startsWith('  - '));
  };
  const cases = [
    ['OPERATOR_PRIVATE_KEY', 'odd/HUGE', /OPERATOR_PRIVATE_KEY.* expected/],
    ['OPERATOR_PRIVATE_KEY', 'odd/LIST', /OPERATOR_PRIVATE_KEY.* expected/],
    ['DB_PASSWORD', 'odd/BINARY', /DB_PASSWORD_AWS_SECRET: the secret is binary; /],
    ['DB_PASSWORD', 'odd/NUMBER#password', /DB_PASSWORD_AWS_SECRET: the secret has no text under the key/],
    ['DB_PASSWORD', 'odd/EMPTY', /DB_PASSWORD_AWS_SECRET: the secret is empty; /],
    ['DB_PASSWORD', 'odd/MISSING', /DB_PASSWORD_AWS_SECRET: AWS has no such secret in this region; /],
    ['DB_PASSWORD', 'odd/DELETED', /DB_PASSWORD_AWS_SECRET: the secret is marked for deletion in AWS; /],
    ['DB_PASSWORD', 'odd/DENIED', /DB_PASSWORD_AWS_SECRET: AWS does not let these credentials read/],
  ] as const;
  for (const [variable, reference, sentence] of cases)
    expect(await problemsWith(variable, reference), reference).toEqual([expect.stringMatching(sentence)]);
  aws.faults.set('secretsmanager', { kind: 'black-hole' });
  const silent = await problemsWith('DB_PASSWORD', 'odd/BINARY');
  expect(silent).toHaveLength(3);
  for (const line of silent) expect(line).toMatch(/AWS did not answer (within 10 s|in time)/);
  const leaked = said.filter((line) => [...FORBIDDEN, '57005700'].some((secret) => line.includes(secret)));
  expect(leaked).toEqual([]);
});

it('the deployment of the contract takes its key and its node from AWS and files too', async () => {
  await keep({ ...SECOND, node: nodes[1]! });
  aws.secrets.put('chimera/deployer', JSON.stringify({ key: OTHER_SIGNER }));
  const variables = { ...(await environment()), DEPLOYER_PRIVATE_KEY_AWS_SECRET: 'chimera/deployer#key' };
  const { deployer, treasury } = devnet.accounts;
  const words = ['--json', '--owner', deployer, '--treasury', treasury];
  /** What it prints, whether there are problems or none. */
  const deploy = (env: Record<string, string>): Promise<string> =>
    promisify(execFile)(process.execPath, ['--import', 'tsx', 'contracts/deploy/main.ts', ...words], {
      cwd: fileURLToPath(new URL('../../', import.meta.url)),
      env: { PATH: process.env['PATH'], ...env },
    }).then(
      ({ stdout }) => stdout,
      (error: unknown) => (error as { stdout: string }).stdout,
    );
  const asked = aws.calls.length;
  const stdout = await deploy(variables);
  expect(JSON.parse(stdout), stdout).toMatchObject({ problems: [] });
  expect(aws.calls.slice(asked).map(({ body }) => body)).toEqual(
    expect.arrayContaining(['{"SecretId":"chimera/deployer"}', '{"SecretId":"chimera/signer"}']),
  );
  expect(aws.calls.slice(asked)).toHaveLength(2);
  const failed = await deploy({ ...variables, DEPLOYER_PRIVATE_KEY_AWS_SECRET: 'chimera/gone' });
  expect(failed).toContain('DEPLOYER_PRIVATE_KEY_AWS_SECRET: AWS has no such secret');
  expect(FORBIDDEN.filter((secret) => (stdout + failed).includes(secret))).toEqual([]);
});

interface Kept {
  readonly user: string;
  readonly password: string;
  readonly key: string;
  readonly node: FakeRpc;
}

/** Puts the secrets where the bot looks for them. */
async function keep({ user, password, key, node }: Kept): Promise<void> {
  aws.secrets.put('chimera/db', JSON.stringify({ username: user, password }));
  aws.secrets.put('chimera/signer', operatorPrivateKey);
  await writeFile(join(directory, 'node'), `${node.url('http', `/v2/${key}`)}\n`);
}

async function environment(): Promise<Record<string, string>> {
  const file = join(directory, 'chimera.yaml');
  const { host, port, database } = postgres;
  await writeFile(file, botConfig(devnet, { host, port, database }, keys));
  return {
    ...aws.variables,
    CHIMERA_CONFIG: file,
    RPC_PRIMARY_HTTP_FILE: join(directory, 'node'),
    RPC_PRIMARY_WS: devnet.wsUrl,
    DB_USER_AWS_SECRET: 'chimera/db#username',
    DB_PASSWORD_AWS_SECRET: 'chimera/db#password',
    OPERATOR_PRIVATE_KEY_AWS_SECRET: 'chimera/signer',
  };
}

async function launch(): Promise<BotProcess> {
  bot = new BotProcess({
    environment: await environment(),
    onEvent: (event) => said.push(JSON.stringify(event)),
    onLine: (line) => said.push(line),
  });
  return bot;
}

/** SIGHUP. @returns what became of the secrets */
async function hangUp(running: BotProcess): Promise<EventNamed<'secrets-reread'>> {
  const reread = running.waitFor('secrets-reread');
  process.kill(running.pid, 'SIGHUP');
  return reread;
}

/** A new connection of this user, and a pass over a new block. */
async function goesOn(running: BotProcess, user: string): Promise<void> {
  const halt = await fetch(`${running.apiUrl}/api/v1/safety/halt`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keys.operator}`, 'content-type': 'application/json' },
    body: JSON.stringify({ reason: `rotation of ${user} ${said.length}` }),
  });
  expect(halt.ok).toBe(true);
  await eventually(async () => (await connectionsOf(user)) > 0, `a connection of ${user}`);
  const passed = running.waitFor('pass');
  await devnet.mine();
  await passed;
}

async function connectionsOf(user: string): Promise<number> {
  return (await query(`SELECT 1 FROM pg_stat_activity WHERE usename = '${user}'`)).length;
}

async function cutConnections(user: string): Promise<void> {
  await query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${user}'`);
}

/** As the superuser of the server, unless a login is named. */
async function query(
  sql: string,
  login: { user: string; password: string } = { user: postgres.user, password: postgres.password.reveal() },
): Promise<unknown[]> {
  const { host, port, database } = postgres;
  const client = new Client({ host, port, database, ...login });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
