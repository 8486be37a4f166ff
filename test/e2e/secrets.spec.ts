import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { Wallet } from 'ethers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Devnet, startDevnet } from '../../devnet/index.js';
import { botConfig } from '../../devnet/stack/bot-config.js';
import { startPostgres } from '../../devnet/stack/postgres.js';
import { BotProcess } from '../../devnet/stack/bot-process.js';
import type { StatusAnswer } from '../../src/api/status-answer.js';
import { registeredCommands } from '../../src/cli/run.js';
import { CHANNEL_VARIABLES } from '../../src/config/channel-secrets.js';
import { SECRET_NAMES } from '../../src/config/environment.js';
import type { BotEvent } from '../../src/domain/events/events.js';
import { USD8 } from '../../src/domain/money.js';
import type { EmbeddedPostgres } from '../../src/embedded-postgres/index.js';
import { eventually } from '../../testing/eventually.js';
import { AwsServer } from '../../testing/nodes/aws.js';
import { FakeRpc, GatewayFault, NodeRefusal } from '../../testing/nodes/fake-rpc.js';
import { LyingNode } from '../../testing/nodes/lying-node.js';
import { send } from '../../testing/send.js';
import { sharedCertificates } from '../../testing/certificates.js';
import { OPEN, TcpProxy } from '../../testing/nodes/tcp-proxy.js';
import { postgresError } from '../../testing/postgres-error.js';
import { filesIn, openChannels, type Sink } from './sinks.js';

// Each secret has a text that stands nowhere else. Those of URLs need the encodings of URLs.
const MARK = 'Q7x';
const USER = 'node-user-Q7x';
const PASSWORD = 'node/pass word+Q7x';
const PATH_KEY = 'path-key-Q7x-0123456789';
const QUERY_KEY = 'query=key&Q7x-0123456789';
const DB_USER = 'db_user_Q7x';
const DB_PASSWORD = 'db:pass@word/Q7x';
const REDIS_PASSWORD = 'redis pass"word Q7x';
const API_KEYS = { operator: 'operator-api-key-Q7x-0123456789', viewer: 'viewer-api-key-Q7x-0123456789' };
const SIGNER_KEY = `0x${'5a'.repeat(30)}0c0d`;
const DEPLOYER_KEY = `0x${'5a'.repeat(30)}0c0e`;
const AWS_KEYS = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'aws/secret+key/Q7x/0123456789ABCDEF',
  sessionToken: 'aws+session/token/Q7x==',
};

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const BASIC = base64(`${USER}:${PASSWORD}`);
const CONNECTION = `postgres://${encodeURIComponent(DB_USER)}:${encodeURIComponent(DB_PASSWORD)}@db/chimera`;

/** Written out here, and not by the code that is tested. */
const FORBIDDEN = [
  ...['Q7x', 'q7x', '5a5a5a5a5a5a', BASIC, BASIC.replace(/=+$/, '')],
  ...[
    PASSWORD,
    QUERY_KEY,
    DB_PASSWORD,
    REDIS_PASSWORD,
    AWS_KEYS.secretAccessKey,
    AWS_KEYS.sessionToken,
  ].flatMap((secret) => [secret, encodeURIComponent(secret), base64(secret).replace(/=+$/, '')]),
  base64(`${DB_USER}:${DB_PASSWORD}`).replace(/=+$/, ''),
  ...Object.values(API_KEYS).map(base64),
];

let directory: string;
let devnet: Devnet;
let postgres: EmbeddedPostgres;
let database: TcpProxy;
let nodes: FakeRpc[];
let sockets: LyingNode;
let aws: AwsServer;
let channels: Readonly<Record<string, Sink>>;
/** Everything that left the bot: its lines and its answers. */
const said: string[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'chimera-secrets-'));
  await chmod(directory, 0o755);
  [devnet, postgres] = await Promise.all([startDevnet(), startPostgres(join(directory, 'postgres'))]);
  await query(`CREATE ROLE "${DB_USER}" LOGIN SUPERUSER PASSWORD '${DB_PASSWORD}'`);
  database = await TcpProxy.start(postgres);
  aws = await AwsServer.start();
  aws.identity = AWS_KEYS;
  channels = await openChannels(MARK, aws);
  nodes = await Promise.all([FakeRpc.start(), FakeRpc.start(), FakeRpc.start()]);
  sockets = await LyingNode.start({ http: devnet.rpcUrl, ws: devnet.wsUrl });
  recover();
  const { chimera } = devnet.contracts;
  const signer = new Wallet(SIGNER_KEY).address;
  await devnet.rpc('anvil_setBalance', [signer, '0x8ac7230489e80000']);
  await send(devnet, devnet.accounts.deployer, chimera, 'setExecutor', signer, true);
});

afterAll(async () => {
  await Promise.all([...nodes, sockets, aws, ...Object.values(channels)].map((node) => node.stop()));
  await database.stop();
  await devnet.stop();
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
});

it('A09 A23 no secret reaches a line, an answer or a row, whatever fails and however it is told', async () => {
  const bot = await launch();
  await Promise.all([bot.waitFor('bot-started'), bot.waitFor('backfill-finished')]);
  await ask(bot);

  for (const failure of nodeFailures()) {
    const failed = bot.waitFor('pass-failed');
    failure();
    await devnet.mine();
    await failed;
    await ask(bot);
    recover();
    await pass(bot);
  }

  const lost = bot.waitFor('websocket-lost');
  sockets.lie = (call) => (call.method === 'eth_subscription' ? { result: words() } : undefined);
  const ignored = bot.waitFor('websocket-message-ignored');
  await devnet.mine();
  await ignored;
  recover();
  sockets.closeSockets(1008, `bad key ${PATH_KEY} of ${USER}`);
  await lost;

  await refusedTransaction(bot);

  const talk = `${DB_USER} may not: ${CONNECTION} password=${DB_PASSWORD} ${base64(`${DB_USER}:${DB_PASSWORD}`)}`;
  const [lostDatabase, back] = [bot.waitFor('database-lost'), bot.waitFor('database-back')];
  database.become(postgresError('57P01', talk));
  await devnet.mine();
  await lostDatabase;
  await ask(bot);
  database.become(OPEN);
  await back;

  // A statement that is refused halts, and the reason of the halt is kept in a row.
  const halted = bot.waitFor('safety-changed', ({ to }) => to === 'HALTED');
  database.become(postgresError('42501', talk));
  await devnet.mine();
  await halted;
  await ask(bot);
  database.become(OPEN);
  await eventually(
    async () => (await everyRow()).some((row) => row.includes('"HALTED"') && row.includes('may not: ')),
    'the halt to be saved',
  );
  await ask(bot);
  // The halt reaches every channel, and CloudWatch.
  for (const [kind, { read }] of Object.entries(channels))
    await eventually(() => read().some((text) => text.includes('HALTED')), `the halt in ${kind}`);
  await eventually(() => aws.metrics.puts.length > 0, 'metrics in CloudWatch');
  expect((await bot.stop()).code).toBe(0);

  const [refused, , , , forbidden] = nodeFailures();
  for (const failure of [
    refused!,
    forbidden!,
    () => database.become(postgresError('42501', `${CONNECTION} for ${DB_USER}`)),
  ]) {
    failure();
    expect((await (await launch()).exited).code).toBe(1);
    recover();
  }

  said.push(...(await everyCommand()));
  expect(said.length).toBeGreaterThan(100);
  const rows = await everyRow();
  const journal = await filesIn(join(directory, 'journal'));
  expect(journal.length).toBeGreaterThan(0);
  const sent = [
    ...Object.values(channels).flatMap(({ read }) => read()),
    ...aws.callsOf('monitoring').map(({ body }) => body),
  ];
  expect(rows.filter((row) => row.includes('***')).length).toBeGreaterThan(0);
  expect(
    [...said, ...rows, ...journal, ...sent].filter((text) =>
      FORBIDDEN.some((secret) => text.includes(secret)),
    ),
  ).toEqual([]);
});

it('A23 every secret of the bot is planted, and bears the mark', async () => {
  const planted = await environment();
  const names = [
    ...SECRET_NAMES,
    ...CHANNEL_VARIABLES,
    'RPC_PRIMARY_HTTP',
    'RPC_PRIMARY_WS',
    'RPC_BACKUP_HTTP',
  ];
  for (const name of names)
    expect(
      FORBIDDEN.some((mark) => planted[name]?.includes(mark)),
      name,
    ).toBe(true);
});

/** What every command of `npx chimera` prints, with the environment of the bot. */
async function everyCommand(): Promise<string[]> {
  const env = { PATH: process.env['PATH'], ...(await environment()) };
  const cwd = fileURLToPath(new URL('../../', import.meta.url));
  const run = (words: string): Promise<string> =>
    new Promise((resolve) => {
      execFile(
        process.execPath,
        ['scripts/chimera.mjs', ...words.split(' ')],
        { cwd, env },
        (_, out, errors) => resolve(out + errors),
      );
    });
  // It would look for ten minutes, because no node serves it here.
  const bounded = (words: string): string => (words === 'once' ? 'once --within 5s' : words);
  return Promise.all((await registeredCommands()).map(({ words }) => run(bounded(words))));
}

/** Every way in which a provider repeats what it was sent. */
function words(): string {
  const url = nodeUrl(nodes[0]!.url('http', ''));
  const { host, pathname, search } = new URL(url);
  return [
    `invalid key ${PATH_KEY}`,
    `${host}${pathname}${search}`,
    `Authorization: Basic ${BASIC}`,
    `${USER} with ${PASSWORD} and ${QUERY_KEY}`,
    url,
  ].join('; ');
}

/** Each makes all nodes fail. */
function nodeFailures(): (() => void)[] {
  const everyCall = (answer: () => unknown) => () => {
    for (const node of nodes)
      for (const method of ['eth_getBlockByNumber', 'eth_getBlockByHash', 'eth_getLogs', 'eth_call'])
        node.on(method, answer);
  };
  const refusing = (code: number) => everyCall(() => new NodeRefusal(code, words(), { words: words() }));
  const status = (status: number) =>
    everyCall(() => new GatewayFault({ kind: 'status', status, body: words() }));
  return [
    ...[-32000, -32005, -32603].map(refusing),
    ...[401, 403, 429, 503].map(status),
    everyCall(words),
    everyCall(() => ({ number: words(), hash: words() })),
    everyCall(() => new GatewayFault({ kind: 'body', body: words() })),
  ];
}

function recover(): void {
  for (const node of nodes) node.forwardTo(devnet.rpcUrl);
  sockets.repent();
  database.become(OPEN);
}

/** A plan that every node refuses to take, in the words of a provider: its row tells why. */
async function refusedTransaction(bot: BotProcess): Promise<void> {
  await eventually(async () => {
    const { endpoints } = JSON.parse(await answerOf(bot, 'api/v1/status', API_KEYS.viewer)) as StatusAnswer;
    return endpoints.every(({ healthy }) => healthy);
  }, 'every endpoint to be trusted again');
  for (const node of nodes)
    node.on('eth_sendRawTransaction', () => new NodeRefusal(-32000, `not allowed: ${words()}`));
  await devnet.openPosition({
    collaterals: [{ symbol: 'WETH', amount: 10n ** 18n }],
    debts: [{ symbol: 'USDC', amount: 2_400n * 10n ** 6n }],
  });
  let settled = false;
  const settling = bot.waitFor('execution-settled').then(() => (settled = true));
  await devnet.setPrice('WETH', 2_800n * USD8);
  // While the nodes failed its pools could not be read: that takes some blocks.
  await eventually(async () => {
    if (!settled) await devnet.mine();
    return settled;
  }, 'the refused transaction to be settled');
  await settling;
  recover();
}

/** Waits for a pass over a new block. */
async function pass(bot: BotProcess): Promise<void> {
  const passed = bot.waitFor('pass');
  await devnet.mine();
  await passed;
}

/** Everything that the API answers, to callers with and without a key. */
async function ask(bot: BotProcess): Promise<void> {
  for (const path of [
    'health/live',
    'health/ready',
    'api/v1/status',
    'api/v1/executions',
    'api/v1/alerts',
    'metrics',
    'api/v1/nothing',
  ])
    for (const key of [API_KEYS.operator, API_KEYS.viewer, `not-${API_KEYS.operator}`]) {
      said.push(await answerOf(bot, path, key));
    }
  const halt = await fetch(`${bot.apiUrl}/api/v1/safety/halt`, {
    method: 'POST',
    headers: { authorization: `Bearer ${API_KEYS.operator}`, 'content-type': 'application/json' },
    body: JSON.stringify({ reason: [SIGNER_KEY, API_KEYS.operator] }),
  });
  said.push(await halt.text());
}

async function answerOf(bot: BotProcess, path: string, key: string): Promise<string> {
  const answer = await fetch(`${bot.apiUrl}/${path}`, { headers: { authorization: `Bearer ${key}` } });
  return answer.text();
}

function nodeUrl(url: string): string {
  const { protocol, host } = new URL(url);
  const login = `${USER}:${encodeURIComponent(PASSWORD)}`;
  return `${protocol}//${login}@${host}/v2/${PATH_KEY}?token=${encodeURIComponent(QUERY_KEY)}`;
}

async function environment(): Promise<Record<string, string>> {
  const file = join(directory, 'chimera.yaml');
  const authorities = join(directory, 'authorities.crt');
  const journalDir = join(directory, 'journal');
  const address = { host: '127.0.0.1', port: database.port, database: postgres.database, journalDir };
  const list = Object.values(channels).map(({ yaml }) => `    - ${yaml}\n`);
  const yaml = botConfig(devnet, address, API_KEYS, {
    redisPort: 1,
    monitoring: `exportIntervalMs: 1000, cloudwatch: { region: "${aws.region}" }`,
    sections: `alerts:\n  channels:\n${list.join('')}`,
  }).replace(
    /^database:/m,
    `  backup: { http: "\${RPC_BACKUP_HTTP}" }\n  archive: { http: "\${RPC_ARCHIVE_HTTP}" }\ndatabase:`,
  );
  await writeFile(file, yaml);
  const trusted = [aws.authorityFile, sharedCertificates().ca].map((path) => readFile(path, 'utf8'));
  await writeFile(authorities, (await Promise.all(trusted)).join(''));
  const [primary = '', backup = '', archive = ''] = nodes.map((node) => nodeUrl(node.url('http', '')));
  return {
    ...aws.variables,
    ...(Object.assign({}, ...Object.values(channels).map(({ variables }) => variables)) as Record<
      string,
      string
    >),
    NODE_EXTRA_CA_CERTS: authorities,
    CHIMERA_CONFIG: file,
    RPC_PRIMARY_HTTP: primary,
    RPC_PRIMARY_WS: nodeUrl(sockets.wsUrl),
    RPC_BACKUP_HTTP: backup,
    RPC_ARCHIVE_HTTP: archive,
    DB_USER,
    DB_PASSWORD,
    REDIS_PASSWORD,
    OPERATOR_PRIVATE_KEY: SIGNER_KEY,
    DEPLOYER_PRIVATE_KEY: DEPLOYER_KEY,
  };
}

async function launch(): Promise<BotProcess> {
  return new BotProcess({
    environment: await environment(),
    onEvent: (event: BotEvent) => said.push(JSON.stringify(event)),
    onLine: (line) => said.push(line),
  });
}

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const { host, port, user, password } = postgres;
  const client = new Client({
    host,
    port,
    user,
    database: postgres.database,
    password: password.reveal(),
  });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function everyRow(): Promise<string[]> {
  const tables = await query("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'");
  const rows = await Promise.all(
    tables.map(({ name }) => query(`SELECT row_to_json(t)::text AS row FROM "${String(name)}" t`)),
  );
  return rows.flat().map(({ row }) => String(row));
}
