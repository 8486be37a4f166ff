import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LEAST, problemsOf, VARIABLES, withSection } from '../../testing/configuration.js';
import { USD8 } from '../domain/money.js';
import { secretTexts } from './config-secrets.js';
import { parseConfig } from './parse-config.js';
import { ChimeraConfig } from './sections.js';

describe('a configuration without mistakes', () => {
  it('has the documented defaults', () => {
    const config = parseConfig(LEAST, VARIABLES);
    expect(config).toBeInstanceOf(ChimeraConfig);
    expect(config.database).toMatchObject({ embedded: false, port: 5432 });
    expect(config.redis).toBeUndefined();
    expect(config.oracles).toMatchObject({ maxMovePerBlockBps: 3000, maxAgeSeconds: 90000 });
    expect(config.detector).toMatchObject({
      scanIntervalMs: 5000,
      confirmationBlocks: 1,
      watchBelowHealthFactorWad: 1_100_000_000_000_000_000n,
    });
    expect(config.planner).toMatchObject({
      minProfitUsd8: 500_000_000n,
      slippageBps: 100,
      baseBribeBps: 1500,
      maxBribeBps: 4000,
    });
    expect(config.safety).toMatchObject({
      maxSingleExecutionUsd8: 50_000_000_000n,
      maxDailyVolumeUsd8: 250_000_000_000n,
      maxConsecutiveFailures: 3,
      minOperatorBalanceWei: 100_000_000_000_000_000n,
      maxFeePerTransactionWei: 50_000_000_000_000_000n,
      maxDailyFeeWei: 200_000_000_000_000_000n,
      maxDailyLossUsd8: 5_000_000_000n,
      maxWalletShareBps: 5000,
      maxTimestampJumpSeconds: 20,
      maxHeadAgeSeconds: 15,
      haltHeadAgeSeconds: 60,
    });
    expect(config.execution.mode).toBe('dry-run');
    expect(config.execution.paths).toMatchObject([{ name: 'public', kind: 'public' }]);
    expect(config.api).toMatchObject({ host: '127.0.0.1', port: 3000, keys: [] });
    expect(config.monitoring).toMatchObject({
      exportIntervalMs: 60000,
      logLevel: 'info',
      logFormat: 'auto',
    });
  });

  it('keeps addresses in lower case and reads unquoted hex as text', () => {
    const config = parseConfig(LEAST, VARIABLES);
    expect(config.protocols[0]).toMatchObject({
      addressesProvider: '0xe20fcbdbffc4dd138ce8b2e6fbb6cb49777ad64d',
    });
  });

  it('is frozen with all its parts', () => {
    const config = parseConfig(LEAST, VARIABLES);
    const parts: unknown[] = [config];
    for (const part of parts) {
      if (typeof part !== 'object' || part === null) continue;
      if (part.constructor.name !== 'Secret') expect(Object.isFrozen(part)).toBe(true);
      parts.push(...Object.entries(part).map(([, value]: [string, unknown]) => value));
    }
    expect(parts.length).toBeGreaterThan(40);
  });

  it('comes from the file of the repository once the variables are set', () => {
    const yaml = readFileSync(new URL('../../config/base.yaml', import.meta.url), 'utf8');
    const config = parseConfig(yaml, {
      ...VARIABLES,
      CHIMERA_ADDRESS: '0x2626664c2603336E57B271c5C0b26F421741e481',
    });
    expect(config.network.chainId).toBe(8453);
    expect(config.rpc.backup).toBeUndefined();
    expect(config.redis).toBeUndefined();
  });

  it('takes numbers and parts of texts from variables', () => {
    const yaml = withSection('database', '{ host: "db.${ZONE}.internal", port: ${DB_PORT}, name: chimera }');
    const config = parseConfig(yaml, { ...VARIABLES, ZONE: 'eu', DB_PORT: '6543' });
    expect(config.database).toMatchObject({ host: 'db.eu.internal', port: 6543 });
  });

  it('takes an embedded database without a user', () => {
    const yaml = withSection('database', '{ embedded: true, dataDir: ./data/postgres }');
    const config = parseConfig(yaml, { RPC_PRIMARY_HTTP: 'http://127.0.0.1:8545' });
    expect(config.database).toMatchObject({ embedded: true, dataDir: './data/postgres' });
  });
});

describe('mistakes', () => {
  it('five mistakes print five messages, each with key, value, expectation and example', () => {
    const yaml = [
      withSection('network', '{ name: base, chainId: mainnet }').replace('localhost', '"local host"'),
      'planner: { minProfitUsd: abc, slippageBps: 10001 }',
      'api: { port: 70000 }',
    ].join('\n');
    expect(problemsOf(yaml)).toEqual([
      'network.chainId: "mainnet" is not valid; an integer from 1 to 999999999999 was expected, for example 8453',
      'database.host: "local host" is not valid; a host name or an IP address was expected, for example localhost',
      'planner.minProfitUsd: "abc" is not valid; a number >= 0 (at most 8 decimals) was expected, for example 5',
      'planner.slippageBps: "10001" is not valid; an integer from 0 to 10000 was expected, for example 100',
      'api.port: "70000" is not valid; an integer from 0 to 65535 was expected, for example 3000',
    ]);
  });

  it('an unknown key is named, with what was probably meant', () => {
    expect(problemsOf(`${LEAST}planner: { slipageBps: 1 }\nplaner: { }`)).toEqual([
      'planner.slipageBps: is not a known key; did you mean slippageBps?',
      'planer: is not a known key; did you mean planner?',
    ]);
  });

  it('a key that has no effect is refused', () => {
    const yaml = withSection(
      'oracles',
      '{ nativeUsdFeed: 0x71041dddad3595F9CEd3DcCFBe3D1F4b0a16Bb70, maxDivergenceBps: 500 }',
    );
    expect(problemsOf(`${yaml}\nmonitoring: { statsd: { enabled: false } }`)).toEqual([
      'oracles.maxDivergenceBps: is not a known key; oracles has the keys nativeUsdFeed, maxMovePerBlockBps, maxAgeSeconds',
      'monitoring.statsd: is not a known key; monitoring has the keys exportIntervalMs, metrics, cloudwatch, logLevel, logFormat',
    ]);
  });

  it('a key of the typed object is not a key of the file', () => {
    expect(problemsOf(`${LEAST}planner: { minProfitUsd8: 500000000 }`)).toEqual([
      'planner.minProfitUsd8: is not a known key; did you mean minProfitUsd?',
    ]);
  });

  it('__proto__, constructor and toString are refused like other unknown keys', () => {
    const problems = problemsOf(
      `${LEAST}planner: { __proto__: { minProfitUsd: 0 }, constructor: 1, toString: 2 }`,
    );
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([
      'planner.__proto__',
      'planner.constructor',
      'planner.toString',
    ]);
  });

  it('an address with a wrong checksum, a short one and the zero address are refused', () => {
    for (const address of [
      '0x2626664c2603336E57B271c5C0b26F421741E481',
      '0x2626664c2603336E57B271c5C0b26F421741e4',
      `0x${'0'.repeat(40)}`,
    ]) {
      expect(problemsOf(withSection('execution', `{ chimera: ${address} }`))).toEqual([
        expect.stringMatching(
          new RegExp(`^execution.chimera: "${address}" is not valid; a contract address`),
        ),
      ]);
    }
  });

  it('a missing required section names its missing keys', () => {
    expect(problemsOf(withSection('network', ''))).toEqual([
      expect.stringMatching(/^network.name: is missing; a name .* was expected, for example base$/),
      expect.stringMatching(/^network.chainId: is missing; an integer .* was expected, for example 8453$/),
    ]);
  });

  it('a list or a section in place of a text, and the reverse, are one problem each', () => {
    expect(
      problemsOf(`${LEAST}detector: 5\nsafety: { maxDailyVolumeUsd: [1] }\napi: { host: { a: b } }`),
    ).toEqual([
      'detector: "5" is not valid; a section (keys and values) was expected',
      expect.stringMatching(/^safety.maxDailyVolumeUsd: a list is not valid/),
      expect.stringMatching(/^api.host: a section is not valid/),
    ]);
  });

  it('limits that contradict each other are refused', () => {
    const yaml = `${LEAST}planner: { maxBribeBps: 1000 }\nsafety: { maxSingleExecutionUsd: 2500.01, maxHeadAgeSeconds: 61 }`;
    expect(problemsOf(yaml)).toEqual([
      'planner.maxBribeBps: "1000" is not valid; at least the value of baseBribeBps was expected, for example 1500',
      'safety.maxSingleExecutionUsd: "2500.01" is not valid; at most the value of maxDailyVolumeUsd was expected, for example 2500',
      'safety.maxHeadAgeSeconds: "61" is not valid; at most the value of haltHeadAgeSeconds was expected, for example 60',
    ]);
  });

  it('the tier gives the two volume limits, and a limit that is written wins', () => {
    expect(parseConfig(`${LEAST}safety: { tier: 3 }`, VARIABLES).safety).toMatchObject({
      maxSingleExecutionUsd8: 2_500n * USD8,
      maxDailyVolumeUsd8: 12_500n * USD8,
    });
    expect(
      parseConfig(`${LEAST}safety: { tier: 2, maxDailyVolumeUsd: 1500 }`, VARIABLES).safety,
    ).toMatchObject({
      maxSingleExecutionUsd8: 1_000n * USD8,
      maxDailyVolumeUsd8: 1_500n * USD8,
    });
    expect(problemsOf(`${LEAST}safety: { tier: 5, haltInclusionBps: 6001 }`)).toEqual([
      'safety.tier: "5" is not valid; an integer from 1 to 4 was expected, for example 1',
      'safety.haltInclusionBps: "6001" is not valid; at most the value of throttleInclusionBps was expected, for example 6000',
    ]);
  });

  it('a limit of seconds must be a whole number', () => {
    expect(problemsOf(`${LEAST}safety: { maxTimestampJumpSeconds: 0, haltHeadAgeSeconds: 1m }`)).toEqual([
      'safety.maxTimestampJumpSeconds: "0" is not valid; an integer from 1 to 31536000 was expected, for example 20',
      'safety.haltHeadAgeSeconds: "1m" is not valid; an integer from 1 to 31536000 was expected, for example 60',
    ]);
  });

  it('submission paths that this version cannot use are refused', () => {
    const execution = (paths: string): string =>
      withSection('execution', `{ chimera: 0x2626664c2603336E57B271c5C0b26F421741e481, paths: ${paths} }`);
    const refused = (what: string): string =>
      `execution.paths: ${what} is not valid; a list of exactly one submission path was expected, for example [{ name: public, kind: public }]`;
    expect(problemsOf(execution('[{ name: main, kind: public }]'))).toEqual([]);
    expect(problemsOf(execution('[{ name: a, kind: public }, { name: b, kind: public }]'))).toEqual([
      refused('this list'),
    ]);
    expect(problemsOf(execution('[{ name: a, kind: public }, { name: b, kind: flashblocks }]'))).toEqual([
      refused('this list'),
      'execution.paths[1].kind: "flashblocks" is not valid; one of public, private was expected, for example public',
    ]);
    expect(problemsOf(execution('[]'))).toEqual([refused('an empty list')]);
    expect(problemsOf(execution('[{ name: flow, kind: private }]'))).toEqual([
      'execution.paths[0].url: is missing; a URL that begins with http:// or https:// was expected, for example https://node.example.com',
    ]);
  });

  it('a private path: its URL and its headers are secrets, and no message shows them', () => {
    const execution = (path: string): string =>
      withSection('execution', `{ chimera: 0x2626664c2603336E57B271c5C0b26F421741e481, paths: [${path}] }`);
    const path = `{ name: relay, kind: private, url: "https://relay.example.com/k3y-0f-relay", headers: [{ name: Authorization, value: "Bearer 0123456789abcdef" }] }`;
    const config = parseConfig(execution(path), VARIABLES);
    expect(config.execution.paths).toMatchObject([
      { name: 'relay', kind: 'private', method: 'eth_sendPrivateTransaction', blocks: 5 },
    ]);
    expect(JSON.stringify(config.execution)).not.toMatch(/relay\.example|0123456789abcdef/);
    expect(secretTexts(config)).toEqual(
      expect.arrayContaining(['Bearer 0123456789abcdef', 'https://relay.example.com/k3y-0f-relay']),
    );
    const wrong = problemsOf(
      execution(
        '{ name: relay, kind: private, url: "ws://s3cret.example.com", headers: [{ name: "a b", value: "two\\nlines" }], method: eth_sendBundle, blocks: 0 }',
      ),
    );
    expect(wrong.join()).not.toMatch(/s3cret|two/);
    expect(wrong.map((problem) => problem.split(':')[0])).toEqual([
      'execution.paths[0].url',
      'execution.paths[0].headers[0].name',
      'execution.paths[0].headers[0].value',
      'execution.paths[0].method',
      'execution.paths[0].blocks',
    ]);
  });

  it.each(['__proto__', 'constructor', 'toString'])('the key %s is unknown like any other', (key) => {
    expect(problemsOf(`${LEAST}${key}: 1`)).toEqual([
      expect.stringMatching(new RegExp(`^${key}: is not a known key; this file has the keys network, rpc`)),
    ]);
  });

  it('kinds of protocols that are not known are named', () => {
    const list = `
  - { name: aave, kind: aave-v3, addressesProvider: 0xe20fCBdBfFC4Dd138cE8b2E6FBb6CB49777ad64D, fromBlock: 1 }
  - { name: moonwell, kind: compound-v2, comptroller: 0xe20fCBdBfFC4Dd138cE8b2E6FBb6CB49777ad64D, fromBlock: 1 }
  - { name: other, kind: maker, vat: 1 }
  - { name: aave, kind: aave-v3, addressesProvider: 0xe20fCBdBfFC4Dd138cE8b2E6FBb6CB49777ad64D, fromBlock: 2 }`;
    expect(problemsOf(withSection('protocols', list))).toEqual([
      'protocols: this list is not valid; a different name for each element was expected',
      'protocols[2].kind: "maker" is not valid; one of aave-v3, compound-v2, morpho-blue was expected, for example aave-v3',
    ]);
  });

  it('reads a Morpho Blue with its feeds and lists', () => {
    const id = `0x${'8f'.repeat(32)}`;
    const one = (more: string): string => `
  - { name: morpho, kind: morpho-blue, fromBlock: 1, morpho: 0xBBBBBbbBBb9cC5e90e3b3Af64bdAF62C37EEFFCb, adaptiveCurveIrm: 0x46415998764C29aB2a25CbeA6254146D50D22687${more} }`;
    const feeds =
      'feeds: [{ token: 0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913, feed: 0x7e860098F58bBFC8648a4311b374B1D669a2bc6B }]';
    const config = parseConfig(
      withSection('protocols', one(`, ${feeds}, denyMarkets: [${id}], minMarketUsd: 50`)),
      VARIABLES,
    );
    expect(config.protocols[0]).toMatchObject({
      feeds: [
        {
          token: '0x833589fcd6edb6e08f4c7c32d4f71b54bda02913',
          feed: '0x7e860098f58bbfc8648a4311b374b1d669a2bc6b',
        },
      ],
      ...{ markets: [], denyMarkets: [id], loanTokens: [], minMarketUsd8: 5_000_000_000n, oracles: 'any' },
    });
    expect(problemsOf(withSection('protocols', one(`, ${feeds}, markets: [0x12]`)))).toEqual([
      expect.stringMatching(
        /^protocols\[0\]\.markets: .*a list of hashes \(each 0x and 64 hex digits\) was expected/,
      ),
    ]);
    expect(parseConfig(withSection('protocols', one('')), VARIABLES).protocols[0]).toMatchObject({
      feeds: [],
    });
  });

  it('an empty file and a file of another shape give one sentence', () => {
    expect(problemsOf('')).toEqual([
      expect.stringMatching(/^the configuration file: is not valid YAML: expected a document/),
    ]);
    expect(problemsOf('- a\n- b')).toEqual([
      'the configuration file: sections such as network and rpc were expected',
    ]);
  });
});
