import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KEY, LEAST } from '../../testing/configuration.js';
import type { Fetched } from '../aws/secrets-manager.js';
import type { BotEvent } from '../domain/events/events.js';
import { StartupError } from '../domain/errors.js';
import { SecretScrubber } from '../domain/secret-forms.js';
import { ConfigSource, type ConfigSourceOptions } from './config-source.js';
import { loadDeploymentConfig } from './load-config.js';
import { SecretReload } from './secret-reload.js';
import type { ChimeraConfig } from './sections.js';

const OTHER_KEY = `0x${'47'.repeat(32)}`;

describe('ConfigSource', () => {
  let directory: string;
  /** What AWS keeps, by the reference. */
  let store: Map<string, Fetched>;
  let asked: string[];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'chimera-config-'));
    writeFileSync(join(directory, 'chimera.yaml'), LEAST);
    store = new Map();
    asked = [];
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const fetch: ConfigSourceOptions['fetch'] = (references) => {
    asked.push(...references.keys());
    const found = [...references].map(([name, reference]): [string, Fetched] => [
      name,
      store.get(reference) ?? { problem: 'AWS has no such secret' },
    ]);
    return Promise.resolve(new Map(found));
  };
  const load = (
    variables: Record<string, string>,
  ): Promise<{ config: ChimeraConfig; source: ConfigSource }> =>
    ConfigSource.load({
      directory,
      fetch,
      variables: {
        CHIMERA_CONFIG: 'chimera.yaml',
        RPC_PRIMARY_HTTP: 'https://node.example.com/first-access-key',
        DB_USER: 'the-user',
        ...variables,
      },
    });
  const inFile = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const problemsOf = async (variables: Record<string, string>): Promise<readonly string[]> =>
    load(variables).then(
      () => [],
      (error: unknown) => (error instanceof StartupError ? error.problems : [String(error)]),
    );

  it('takes a value from AWS before a file, and from a file before the variable, and tells which', async () => {
    store.set('prod#db', { value: 'from-aws' });
    const all = { DB_PASSWORD_AWS_SECRET: 'prod#db', DB_PASSWORD_FILE: inFile('db', 'from-file\n') };
    const first = await load({ ...all, DB_PASSWORD: 'from-variable' });
    expect(first.config.environment.dbPassword?.reveal()).toBe('from-aws');
    expect(first.source.origins).toContainEqual({
      name: 'DB_PASSWORD',
      source: 'aws',
      unused: ['file', 'variable'],
    });
    const second = await load({ DB_PASSWORD_FILE: all.DB_PASSWORD_FILE, DB_PASSWORD: 'from-variable' });
    expect(second.config.environment.dbPassword?.reveal()).toBe('from-file');
    const third = await load({ DB_PASSWORD: 'from-variable' });
    expect(third.config.environment.dbPassword?.reveal()).toBe('from-variable');
    expect(third.source.origins).toContainEqual({ name: 'DB_PASSWORD', source: 'variable', unused: [] });
  });

  it('does not fall back to another source when the first one fails', async () => {
    expect(await problemsOf({ DB_PASSWORD_AWS_SECRET: 'gone', DB_PASSWORD: 'from-variable' })).toEqual([
      'DB_PASSWORD_AWS_SECRET: AWS has no such secret',
    ]);
  });

  it('asks AWS for what the program uses, and for nothing else', async () => {
    store.set('prod#rpc', { value: 'https://node.example.com/aws-access-key' });
    const variables = {
      RPC_PRIMARY_HTTP_AWS_SECRET: 'prod#rpc',
      DEPLOYER_PRIVATE_KEY_AWS_SECRET: 'deployer',
      ANOTHER_PROGRAM_AWS_SECRET: 'another',
    };
    const { config } = await load(variables);
    expect(config.rpc.primary.http.reveal()).toBe('https://node.example.com/aws-access-key');
    expect(asked).toEqual(['RPC_PRIMARY_HTTP']);

    asked = [];
    store.set('deployer', { value: KEY });
    const all = { ...variables, DB_PASSWORD_AWS_SECRET: 'not-of-the-deployment' };
    const deployment = await loadDeploymentConfig(
      { file: 'chimera.yaml', sends: true },
      all,
      directory,
      fetch,
    );
    expect(deployment.environment.deployerPrivateKey?.reveal()).toBe(KEY);
    expect(asked.sort()).toEqual(['DEPLOYER_PRIVATE_KEY', 'RPC_PRIMARY_HTTP']);
  });

  it('takes the keys of AWS from variables and files, never from AWS, and both or none', async () => {
    const { config } = await load({
      AWS_ACCESS_KEY_ID: 'AKIA',
      AWS_SECRET_ACCESS_KEY_FILE: inFile('aws', 'the-key-of-aws\n'),
      AWS_REGION: 'eu-central-1',
    });
    expect(config.environment.aws).toMatchObject({
      region: 'eu-central-1',
      credentials: { accessKeyId: 'AKIA' },
    });
    expect(config.environment.aws.credentials?.secretAccessKey.reveal()).toBe('the-key-of-aws');
    expect(
      await problemsOf({ AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY_AWS_SECRET: 'prod#aws' }),
    ).toEqual([
      'AWS_SECRET_ACCESS_KEY_AWS_SECRET: AWS gives a secret only for this key; a file or a variable was expected',
      expect.stringMatching(/^AWS_ACCESS_KEY_ID: one of .* has no value; set both, or neither/),
    ]);
  });

  describe('reads again', () => {
    let events: BotEvent[];
    let scrubber: SecretScrubber;
    let config: ChimeraConfig;
    let reload: SecretReload;

    /** A bot that was started with these variables. */
    async function start(variables: Record<string, string>): Promise<void> {
      const loaded = await load(variables);
      events = [];
      scrubber = new SecretScrubber([]);
      config = loaded.config;
      reload = new SecretReload(scrubber);
      reload.start(loaded.source, config, { emit: (event) => void events.push(event) });
    }

    /** What SIGHUP leads to. */
    async function hangUp(): Promise<Extract<BotEvent, { event: 'secrets-reread' }>> {
      const seen = events.length;
      reload.ask();
      await expect.poll(() => events.length).toBeGreaterThan(seen);
      return events.at(-1) as Extract<BotEvent, { event: 'secrets-reread' }>;
    }

    it('says at the start where each secret came from', async () => {
      store.set('prod', { value: 'from-aws' });
      await start({
        DB_PASSWORD_AWS_SECRET: 'prod',
        DB_PASSWORD: 'old',
        REDIS_PASSWORD_FILE: inFile('redis', 'x'),
      });
      expect(events).toEqual([
        {
          event: 'secrets-read',
          aws: ['DB_PASSWORD'],
          files: ['REDIS_PASSWORD'],
          variables: ['DB_USER', 'RPC_PRIMARY_HTTP'],
          unused: ['DB_PASSWORD'],
        },
      ]);
    });

    it('and whoever holds a secret has its new value; the log knows the old and the new', async () => {
      store.set('prod#db', { value: 'first-password' });
      await start({
        DB_PASSWORD_AWS_SECRET: 'prod#db',
        RPC_PRIMARY_HTTP_FILE: inFile('rpc', 'https://node/first-key-of-node'),
      });
      scrubber.learn(['first-password']);
      const held = config.environment.dbPassword;
      store.set('prod#db', { value: 'second-password' });
      inFile('rpc', 'https://node/second-key-of-node\n');
      expect(await hangUp()).toMatchObject({
        changed: ['DB_PASSWORD', 'RPC_PRIMARY_HTTP'],
        needStart: [],
        problems: [],
      });
      expect(held?.reveal()).toBe('second-password');
      expect(config.rpc.primary.http.reveal()).toBe('https://node/second-key-of-node');
      expect(scrubber.scrub('first-password second-password second-key-of-node')).toBe('*** *** ***');
      expect(await hangUp()).toMatchObject({ changed: [], needStart: [], problems: [] });
    });

    it('but the key of the wallet stays until a start', async () => {
      await start({ OPERATOR_PRIVATE_KEY_FILE: inFile('key', KEY) });
      inFile('key', OTHER_KEY);
      expect(await hangUp()).toMatchObject({
        changed: [],
        needStart: ['OPERATOR_PRIVATE_KEY'],
        problems: [],
      });
      expect(config.environment.operatorPrivateKey?.reveal()).toBe(KEY);
      expect(scrubber.scrub(OTHER_KEY)).toBe('***');
    });

    it('and keeps the old value of what cannot be read, is empty, or is wrong', async () => {
      store.set('prod#db', { value: 'the-password' });
      const variables = {
        DB_PASSWORD_AWS_SECRET: 'prod#db',
        REDIS_PASSWORD_FILE: inFile('redis', 'redis-password'),
        DB_USER_FILE: inFile('user', 'user-of-file'),
        RPC_PRIMARY_HTTP_FILE: inFile('rpc', 'https://node/first'),
      };
      await start(variables);
      store.set('prod#db', { problem: 'AWS did not answer within 10 s; an answer was expected' });
      rmSync(variables.REDIS_PASSWORD_FILE);
      inFile('user', '\n');
      inFile('rpc', 'no-url-but-a-secret');
      const { changed, problems } = await hangUp();
      expect(changed).toEqual([]);
      expect(problems.toSorted()).toEqual([
        'DB_PASSWORD_AWS_SECRET: AWS did not answer within 10 s; an answer was expected',
        'DB_USER_FILE: it has no value any more; a text was expected',
        'REDIS_PASSWORD_FILE: the file it names cannot be read (ENOENT); a readable file was expected',
        expect.stringMatching(/^rpc.primary.http: the value of \$\{RPC_PRIMARY_HTTP\} is not valid; a URL/),
      ]);
      expect(problems.join()).not.toContain('no-url');
      const { dbUser, dbPassword, redisPassword } = config.environment;
      const kept = [dbUser, dbPassword, redisPassword, config.rpc.primary.http].map((secret) =>
        secret?.reveal(),
      );
      expect(kept).toEqual(['user-of-file', 'the-password', 'redis-password', 'https://node/first']);
    });

    it('and takes what is right beside what is wrong', async () => {
      await start({
        DB_PASSWORD_FILE: inFile('db', 'first'),
        RPC_PRIMARY_HTTP_FILE: inFile('rpc', 'https://node/first'),
      });
      inFile('db', 'second');
      inFile('rpc', 'wrong');
      expect(await hangUp()).toMatchObject({ changed: ['DB_PASSWORD'], problems: [expect.anything()] });
      expect(config.environment.dbPassword?.reveal()).toBe('second');
    });

    it('and a request that comes before the bot is there is done when it is', async () => {
      const { source, config } = await load({ DB_PASSWORD_FILE: inFile('db', 'first') });
      const early = new SecretReload(new SecretScrubber([]));
      early.ask();
      inFile('db', 'second');
      const seen: BotEvent[] = [];
      early.start(source, config, { emit: (event) => void seen.push(event) });
      await expect.poll(() => seen.map(({ event }) => event)).toEqual(['secrets-read', 'secrets-reread']);
      expect(config.environment.dbPassword?.reveal()).toBe('second');
    });
  });
});
