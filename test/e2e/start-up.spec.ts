import { once } from 'node:events';
import { createServer } from 'node:net';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operatorPrivateKey, startDevnet, type Devnet } from '../../devnet/index.js';
import { startPostgres } from '../../devnet/stack/postgres.js';
import { BotProcess, type BotProcessOptions } from '../../devnet/stack/bot-process.js';
import { botConfig, newApiKeys } from '../../devnet/stack/bot-config.js';
import { LEFT_OUTSIDE } from '../warm-up/bundle-bot.js';
import { FakeRpc, NodeRefusal } from '../../testing/nodes/fake-rpc.js';
import type { EmbeddedPostgres } from '../../src/database/index.js';

let devnet: Devnet;
let postgres: EmbeddedPostgres;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'chimera-start-up-'));
  await chmod(directory, 0o755); // PostgreSQL refuses root: another user has to reach its directory.
  [devnet, postgres] = await Promise.all([startDevnet(), startPostgres(join(directory, 'postgres'))]);
});

afterAll(async () => {
  await devnet.stop();
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('start-up without an optional endpoint', () => {
  it('F19 an archive that does not answer: the bot goes live', async () => {
    const bot = await launch(
      (yaml) => yaml.replace(/^rpc:\n/m, 'rpc:\n  archive: { http: "http://127.0.0.1:1" }\n'),
      {},
      { shipped: true },
    );
    await bot.waitFor('bot-started');
    expect((await bot.stop()).code).toBe(0);
  });
});

describe('libraries of what is not configured', () => {
  /** The packages of which a bot that starts and stops runs any code. */
  const loaded = async (
    change: (yaml: string) => string,
    more: Record<string, string> = {},
  ): Promise<Set<string>> => {
    const coverage = await mkdtemp(join(directory, 'loaded-'));
    const bot = await launch(change, { ...more, NODE_V8_COVERAGE: coverage }, { shipped: true });
    await bot.waitFor('bot-started');
    expect((await bot.stop()).code).toBe(0);
    const reports = await Promise.all(
      (await readdir(coverage)).map((name) => readFile(join(coverage, name), 'utf8')),
    );
    const names = reports.join().matchAll(/\/node_modules\/((?:@[^/"]+\/)?[^/"]+)\//g);
    return new Set([...names].map(([, name]) => name ?? ''));
  };
  const OPTIONAL = [
    'prom-client',
    'nodemailer',
    'grammy',
    '@aws-sdk/client-sns',
    '@aws-sdk/client-cloudwatch',
  ];

  it('are not loaded; those of what is configured are', async () => {
    const off = await loaded((yaml) => yaml.replace('logLevel: debug', 'logLevel: debug, metrics: false'));
    expect(off).toContain('ethers');
    for (const name of [...OPTIONAL, '@aws-sdk/client-secrets-manager']) expect(off).not.toContain(name);

    const on = await loaded(
      (yaml) =>
        `${yaml.replace('logLevel: debug', 'logLevel: debug, cloudwatch: { region: eu-central-1, namespace: Chimera }')}
alerts:
  channels:
    - { name: topic, kind: sns, topicArn: "arn:aws:sns:eu-central-1:123456789012:alerts" }
    - { name: mail, kind: email, host: 127.0.0.1, port: 1, from: bot@example.com, to: [ops@example.com] }
    - { name: chat, kind: telegram, chatId: "-1", apiRoot: "http://127.0.0.1:1" }
`,
      {
        TELEGRAM_BOT_TOKEN: '123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
        // Nothing of it leaves this machine.
        ...{ AWS_ENDPOINT_URL: 'http://127.0.0.1:1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' },
        AWS_REGION: 'eu-central-1',
      },
    );
    for (const name of OPTIONAL) expect(on).toContain(name);
  });
});

describe('the bundle that the tests start', () => {
  it('loads no library a second time, from its own file', async () => {
    const coverage = await mkdtemp(join(directory, 'bundled-'));
    const bot = await launch((yaml) => yaml, { NODE_V8_COVERAGE: coverage });
    await Promise.all([bot.waitFor('bot-started'), bot.waitFor('api-listening')]);
    const passed = bot.waitFor('pass');
    await devnet.mine();
    await passed;
    expect((await fetch(`${bot.apiUrl}/health/ready`)).status).toBe(200);
    expect((await bot.stop()).code).toBe(0);
    const loaded = new Set<string>();
    for (const name of await readdir(coverage)) {
      const { result } = JSON.parse(await readFile(join(coverage, name), 'utf8')) as {
        result: { url: string }[];
      };
      for (const { url } of result) {
        const library = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
        if (library !== undefined) loaded.add(library);
      }
    }
    const theirs = ['validator', 'libphonenumber-js', 'uint8array-tools', 'postgres-', 'xtend', 'split2'];
    const outside = [...LEFT_OUTSIDE, ...theirs, 'tdigest', 'bintrees', '@opentelemetry'];
    expect([...loaded].filter((library) => !outside.some((name) => library.startsWith(name)))).toEqual([]);
  });
});

describe('start-up with something missing ends with exit code 1 and one sentence for each thing', () => {
  it('a configuration with five mistakes', async () => {
    const problems = await refusal((yaml) =>
      yaml
        .replace('chainId: 31337', 'chainId: zero')
        .replace('minProfitUsd: 5', 'minProfitUsd: lots')
        .replace('mode: live', 'mode: yolo')
        .replace('maxConsecutiveFailures: 3', 'maxConsecutiveFailure: 3')
        .replace(devnet.addresses.chimera, '0x1234'),
    );
    expect(problems).toHaveLength(5);
    for (const key of [
      'network.chainId',
      'planner.minProfitUsd',
      'execution.mode',
      'maxConsecutiveFailure',
      'execution.chimera',
    ])
      expect(problems.filter((problem) => problem.includes(key))).toHaveLength(1);
  });

  it('an unknown key, with the key that was probably meant', async () => {
    expect(await refusal((yaml) => yaml.replace('slippageBps', 'slipageBps'))).toEqual([
      expect.stringMatching(/planner\.slipageBps.*slippageBps/),
    ]);
  });

  it('F12 another chain than the one configured', async () => {
    const problems = await refusal((yaml) => yaml.replace('chainId: 31337', 'chainId: 8453'), {
      OPERATOR_PRIVATE_KEY: `0x${'5a'.repeat(31)}01`,
    });
    expect(problems).toEqual([expect.stringMatching(/rpc\.primary.*31337.*8453/)]);
  });

  it('a node whose blooms are always empty', async () => {
    await devnet.setPrice('WETH', 2_990n * 10n ** 8n); // the newest block has logs
    const node = await FakeRpc.start();
    try {
      node.forwardTo(devnet.rpcUrl);
      node.on('eth_getBlockByNumber', async (params) => ({
        ...((await devnet.rpc('eth_getBlockByNumber', params)) as object),
        logsBloom: `0x${'0'.repeat(512)}`,
      }));
      const problems = await refusal((yaml) => yaml, { RPC_PRIMARY_HTTP: node.url('http') });
      expect(problems).toEqual([expect.stringMatching(/rpc: .*empty logs bloom/)]);
    } finally {
      await node.stop();
    }
  });

  it('a backup that cannot simulate, while both endpoints prove the plans', async () => {
    const node = await FakeRpc.start();
    try {
      node.forwardTo(devnet.rpcUrl);
      node.on('eth_simulateV1', () => new NodeRefusal(-32601, 'the method is not available'));
      const problems = await refusal(
        (yaml) => yaml.replace('rpc:', 'rpc:\n  backup: { http: "${RPC_BACKUP_HTTP}" }'),
        { RPC_BACKUP_HTTP: node.url('http') },
      );
      expect(problems).toEqual([expect.stringMatching(/rpc\.backup: .*cannot simulate.*-32601/)]);
    } finally {
      await node.stop();
    }
  });

  it('a published key on a chain that is not the local one', async () => {
    const problems = await refusal((yaml) => yaml.replace('chainId: 31337', 'chainId: 8453'));
    expect(problems).toEqual([expect.stringContaining('published test key')]);
  });

  it('no contract where one is configured', async () => {
    const nowhere = '0x00000000000000000000000000000000000c0de0';
    expect(await refusal((yaml) => yaml.replace(devnet.addresses.chimera, nowhere))).toEqual([
      expect.stringMatching(new RegExp(`execution\\.chimera.*no contract at ${nowhere}`)),
    ]);
  });

  it('a contract that is no Chimera', async () => {
    expect(
      await refusal((yaml) => yaml.replace(devnet.addresses.chimera, devnet.addresses.uniswapFactory)),
    ).toEqual([expect.stringMatching(/execution\.chimera.*does not answer as a Chimera/)]);
  });

  it('an empty wallet that is no executor either: two sentences', async () => {
    const problems = await refusal((yaml) => yaml, { OPERATOR_PRIVATE_KEY: `0x${'5a'.repeat(31)}01` });
    expect(problems).toEqual([
      expect.stringMatching(/is no executor/),
      expect.stringMatching(/holds 0 ETH; at least 0\.1 ETH/),
    ]);
  });

  it('no database', async () => {
    const problems = await refusal((yaml) => yaml.replace(`port: ${postgres.port}, name`, 'port: 1, name'));
    expect(problems).toEqual([expect.stringMatching(/database at 127\.0\.0\.1:1 cannot be reached/)]);
  });

  it('no node, and no database: both are named', async () => {
    const problems = await refusal((yaml) => yaml.replace(`port: ${postgres.port}, name`, 'port: 1, name'), {
      RPC_PRIMARY_HTTP: 'http://127.0.0.1:1/secret-key',
    });
    expect(problems).toEqual([expect.stringContaining('database'), expect.stringContaining('rpc.primary')]);
    expect(problems.join()).not.toContain('secret-key');
  });

  it('a port of the API that another program has', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    try {
      expect(await refusal((yaml) => yaml.replace('port: 0', `port: ${port}`))).toEqual([
        expect.stringContaining(`api.port: port ${port} of 127.0.0.1 is in use by another program`),
      ]);
    } finally {
      other.close();
    }
  });

  it('a data directory that another bot uses', async () => {
    const dataDir = join(directory, 'postgres');
    const problems = await refusal((yaml) =>
      yaml.replace(/^database: .*$/m, `database: { embedded: true, dataDir: '${dataDir}' }`),
    );
    expect(problems).toEqual([expect.stringMatching(/^database\.dataDir: .* is in use by another bot; /)]);
  });

  it('wrong contracts of the price, the venue and the market: one sentence for each', async () => {
    const { addressesProvider, uniswapFactory, slipstreamFactory, nativeUsdFeed, pool } = devnet.addresses;
    const refusedWith = (from: string, to: string): Promise<string[]> =>
      refusal((yaml) => yaml.replaceAll(from, to));
    expect(await refusedWith(nativeUsdFeed, pool)).toEqual([
      expect.stringMatching(/^oracles\.nativeUsdFeed: the feed 0x.* does not answer as a price feed does; /),
    ]);
    expect(await refusedWith(slipstreamFactory, pool)).toEqual([
      expect.stringMatching(
        /^liquidity\.factories \(slipstream\): .* does not answer getPool.*; a factory of Slipstream was expected$/,
      ),
    ]);
    expect(await refusedWith(uniswapFactory, pool)).toEqual([
      expect.stringMatching(/^liquidity\.uniswapV3\.factory: .*; a factory of Uniswap v3 was expected$/),
    ]);
    for (const wrong of [pool, uniswapFactory])
      expect(await refusedWith(addressesProvider, wrong)).toEqual([
        expect.stringMatching(
          /^protocols \(\S+\)\.addressesProvider: the contract at 0x.* does not name the contract that liquidates; /,
        ),
      ]);
    expect(await refusedWith(addressesProvider, devnet.accounts.operator)).toEqual([
      expect.stringMatching(/^protocols \(\S+\)\.addressesProvider: there is no contract at 0x/),
    ]);
  });

  it('no configuration file', async () => {
    expect(await refusal(() => '', { CHIMERA_CONFIG: 'nowhere.yaml' })).toEqual([
      expect.stringMatching(/CHIMERA_CONFIG.*nowhere\.yaml/),
    ]);
  });
});

/**
 * Starts the built bot with a changed file and environment.
 * @returns the problems it printed before it ended with 1
 */
async function refusal(
  change: (yaml: string) => string,
  environment: Record<string, string> = {},
): Promise<string[]> {
  const lines: string[] = [];
  const bot = await launch(change, environment, { onLine: (line) => lines.push(line) });
  const timer = setTimeout(() => void bot.kill(), 60_000);
  const { code } = await bot.exited;
  clearTimeout(timer);
  expect(code, lines.join('\n')).toBe(1);
  expect(lines.join('\n')).not.toMatch(/^\s+at /m);
  return lines.filter((line) => line.startsWith('  - ')).map((line) => line.slice(4));
}

async function launch(
  change: (yaml: string) => string,
  environment: Record<string, string> = {},
  options: Pick<BotProcessOptions, 'onLine' | 'shipped'> = {},
): Promise<BotProcess> {
  const file = join(directory, 'chimera.yaml');
  const { host, port, database, user, password } = postgres;
  await writeFile(file, change(botConfig(devnet, { host, port, database }, newApiKeys())));
  return new BotProcess({
    environment: {
      CHIMERA_CONFIG: file,
      RPC_PRIMARY_HTTP: devnet.rpcUrl,
      RPC_PRIMARY_WS: devnet.wsUrl,
      DB_USER: user,
      DB_PASSWORD: password.reveal(),
      OPERATOR_PRIVATE_KEY: operatorPrivateKey,
      ...environment,
    },
    ...options,
  });
}
