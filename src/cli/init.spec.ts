import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VARIABLES } from '../../testing/configuration.js';
import { parseConfig, type Variables } from '../config/index.js';
import { validateConfig } from './config-commands.js';
import { CHANNELS, DATABASES, shippedFiles } from './init-file.js';
import { init, type InitOptions } from './init.js';
import { run } from './run.js';

const SECRETS = {
  ...VARIABLES,
  CHIMERA_ADDRESS: '0x2626664c2603336E57B271c5C0b26F421741e481',
  SLACK_WEBHOOK_URL: 'https://hooks.example.com/services/T/B/xyz',
  TELEGRAM_BOT_TOKEN: `123456789:${'A'.repeat(35)}`,
  PAGERDUTY_ROUTING_KEY: 'a'.repeat(32),
  ALERT_WEBHOOK_URL: 'https://alerts.example.com',
  ALERT_WEBHOOK_SECRET: 'a secret of a webhook',
};

const LEAST: InitOptions = { chain: 'base', database: 'embedded' };

describe('npx chimera init', () => {
  let directory: string;
  let printed: string[];
  let said: string[];
  let asked: string[];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'chimera-init-'));
    [printed, said, asked] = [[], [], []];
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const quiet = { print: (line: string) => printed.push(line), remark: (line: string) => said.push(line) };
  /** A terminal on which these lines are typed; after them the input ends. */
  const typing = (
    ...lines: string[]
  ): typeof quiet & { ask: (q: string) => Promise<string | undefined> } => ({
    ...quiet,
    ask: (question) => {
      asked.push(question);
      return Promise.resolve(lines.shift());
    },
  });
  const written = (file = 'chimera.yaml'): string => readFileSync(join(directory, file), 'utf8');
  const from = (variables: Variables = {}): { directory: string; variables: Variables } => ({
    directory,
    variables,
  });

  describe.each(shippedFiles())('on $chain', ({ chain, chainId, markets }) => {
    it.each(DATABASES.flatMap((database) => CHANNELS.map((alerts) => ({ database, alerts }))))(
      'writes what config validate accepts: $database database, alerts $alerts',
      async ({ database, alerts }) => {
        const options = { chain, database, alerts, chat: '-1001234567890' };
        expect(await init(options, quiet, from(SECRETS))).toBe(0);
        expect(await validateConfig({ file: 'chimera.yaml' }, quiet, from(SECRETS))).toBe(0);
        const config = parseConfig(written(), SECRETS);
        expect(config.network.chainId).toBe(chainId);
        expect(config.execution.mode).toBe('dry-run');
        expect(config.database.embedded).toBe(database === 'embedded');
        expect(config.alerts.channels.map(({ kind }) => kind)).toEqual(alerts === 'none' ? [] : [alerts]);
        expect(config.protocols.map(({ name }) => name)).toEqual(markets);
        expect(printed.join('\n')).not.toContain('Still missing');
      },
    );

    it.each(markets)('serves %s alone', async (market) => {
      await init({ ...LEAST, chain: String(chainId), markets: market }, quiet, from());
      expect(parseConfig(written(), SECRETS).protocols.map(({ name }) => name)).toEqual([market]);
    });

    it('keeps the comments and every key that was not asked for', async () => {
      await init({ ...LEAST, chain }, quiet, from());
      const shipped = shippedFiles().find((one) => one.chain === chain)!.text;
      const changed = shipped.split('\n').filter((line) => !written().includes(line));
      expect(changed.filter((line) => !/^#|^(database|journal):/.test(line))).toEqual([]);
      expect(written()).toMatch(/^# .*dry run/);
    });
  });

  it('asks on a terminal, takes Enter for what stands in brackets, and asks again after a mistake', async () => {
    const terminal = typing('polygon', '8453', 'MY_NODE', '', 'aave', 'own', 'telegram', '-100123');
    expect(await init({}, terminal, from(SECRETS))).toBe(0);
    expect(said).toEqual([
      'one of base (8453), ethereum (1), optimism (10), arbitrum (42161) was expected, not "polygon"',
    ]);
    expect(asked[2]).toBe(
      'Environment variable with the URL of your node, or ./path of a file that holds it [RPC_PRIMARY_HTTP]: ',
    );
    const config = parseConfig(written(), { ...SECRETS, MY_NODE: 'http://127.0.0.1:8545' });
    expect(config.rpc.primary.http.reveal()).toBe('http://127.0.0.1:8545');
    expect(config.protocols.map(({ name }) => name)).toEqual(['aave']);
    expect(config.alerts.channels).toMatchObject([{ kind: 'telegram', chatId: '-100123' }]);
    expect(printed.join('\n')).toContain('rpc.primary.http: the environment variable MY_NODE has no value');
  });

  it('asks only for what no option says', async () => {
    const options = { chain: 'base', rpcEnv: 'RPC_PRIMARY_HTTP', backupEnv: 'RPC_BACKUP_HTTP' };
    await init({ ...options, markets: 'aave', alerts: 'none' }, typing(''), from());
    expect(asked).toEqual([expect.stringMatching(/^Database: /)]);
  });

  it.each([0, 1, 5])('writes nothing when the input ends after %d answers', async (answers) => {
    expect(await init({}, typing(...['base', '', '', '', ''].slice(0, answers)), from())).toBe(1);
    expect(said).toEqual(['nothing was written']);
    expect(() => written()).toThrow('ENOENT');
  });

  it('gives up after three answers that cannot be read', async () => {
    await expect(init({}, typing('a', 'b', 'c'), from())).rejects.toThrow(/^--chain: .*not "c"$/);
    expect(asked).toHaveLength(3);
  });

  it('never takes a URL, and does not repeat it', async () => {
    const url = 'https://node.example.com/v2/access-key';
    const refusal = /^--rpc-env: this is a URL, which may hold a key; the name of the variable/;
    await expect(init({ ...LEAST, rpcEnv: url }, quiet, from())).rejects.toThrow(refusal);
    const last = init({ chain: 'base' }, typing(url, url, url), from()).catch(String);
    expect([...said, ...printed, await last].join('\n')).not.toContain('access-key');
  });

  it('takes the path of a secret file, and says by which variable the bot finds it', async () => {
    const file = join(directory, 'node-url');
    writeFileSync(file, 'https://node.example.com/v2/access-key\n');
    await init({ ...LEAST, rpcFile: file }, quiet, from({ CHIMERA_ADDRESS: SECRETS.CHIMERA_ADDRESS }));
    expect(printed).toContain(`  RPC_PRIMARY_HTTP_FILE=${file}`);
    expect(printed.join('\n')).not.toContain('Still missing');
    expect(written() + printed.join('\n')).not.toContain('access-key');
  });

  it.each<[string, InitOptions, RegExp]>([
    ['chain and database', {}, /^--chain and --database: expected, because there is no terminal to ask on; /],
    ['the database', { chain: 'base' }, /^--database: expected, because there is no terminal/],
    ['a known chain', { ...LEAST, chain: '137' }, /^--chain: one of base .* was expected, not "137"$/],
    ['a known market', { ...LEAST, markets: 'aave,fluid' }, /^--markets: some of aave, morpho .*"fluid"$/],
    ['a market', { ...LEAST, markets: ',' }, /^--markets: some of aave, morpho/],
    ['a known database', { ...LEAST, database: 'mysql' }, /^--database: one of embedded, own/],
    ['a known channel', { ...LEAST, alerts: 'fax' }, /^--alerts: one of none, slack/],
    ['the chat of Telegram', { ...LEAST, alerts: 'telegram' }, /^--chat: the id of a chat/],
    ['one place of the URL', { ...LEAST, rpcEnv: 'A', rpcFile: 'a' }, /^--rpc-file: given beside --rpc-env/],
    ['the name of a variable', { ...LEAST, backupEnv: 'my node' }, /^--backup-env: the name of an env/],
  ])('off a terminal it wants %s, in one sentence, and writes nothing', async (_, options, sentence) => {
    await expect(init(options, quiet, from())).rejects.toMatchObject({
      problems: [expect.stringMatching(sentence) as unknown],
    });
    expect(() => written()).toThrow('ENOENT');
  });

  it('a missing option is misuse: exit code 1, and nothing on the standard output', async () => {
    expect(await run(['init', '--file', join(directory, 'a.yaml')], quiet)).toBe(1);
    expect(printed).toEqual([]);
    expect(said).toEqual([expect.stringMatching(/^chimera init: --chain and --database: expected/)]);
  });

  it('leaves a file that is there, before it asks, unless --force is given', async () => {
    writeFileSync(join(directory, 'chimera.yaml'), 'mine');
    const refusal = '--file: there is a file chimera.yaml already; --force overwrites it';
    await expect(init(LEAST, typing(), from())).rejects.toThrow(refusal);
    expect([written(), asked]).toEqual(['mine', []]);
    expect(await init({ ...LEAST, force: true }, quiet, from())).toBe(0);
    expect(written()).toContain('network: { name: base, chainId: 8453 }');
  });

  it('says of a file that cannot be written why', async () => {
    await expect(init({ ...LEAST, file: 'no/such/folder.yaml' }, quiet, from())).rejects.toThrow(
      /^--file no\/such\/folder.yaml: it cannot be written \(ENOENT/,
    );
  });

  it('--json: what was written, what is missing, and what comes next', async () => {
    await init({ ...LEAST, json: true }, quiet, from());
    expect(JSON.parse(printed.join('\n'))).toMatchObject({
      file: 'chimera.yaml',
      ...{ chain: 'base', chainId: 8453, mode: 'dry-run', database: 'embedded', alerts: 'none' },
      markets: ['aave', 'morpho'],
      missing: [
        expect.stringMatching(/RPC_PRIMARY_HTTP has no value/),
        expect.stringMatching(/CHIMERA_ADDRESS has no value/),
      ],
    });
  });
});
