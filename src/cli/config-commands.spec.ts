import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KEY, LEAST, VARIABLES } from '../../testing/configuration.js';
import type { ShownValue } from '../config/index.js';
import { dumpConfig, validateConfig } from './config-commands.js';

const SHA256 = 'ab'.repeat(32);

describe('npx chimera config', () => {
  let directory: string;
  let printed: string[];
  const terminal = { print: (line: string) => printed.push(line), remark: () => undefined };
  const from = (variables = {}) => ({
    directory,
    variables: { ...VARIABLES, CHIMERA_CONFIG: 'bot.yaml', ...variables },
  });

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'chimera-config-'));
    const api = `api: { keys: [{ name: ops, role: operator, sha256: ${SHA256} }] }`;
    writeFileSync(join(directory, 'bot.yaml'), `${LEAST}\n${api}\ndetector: { scanIntervalMs: 7000 }\n`);
    writeFileSync(join(directory, 'wrong.yaml'), `${LEAST}\ndetector: { scanIntervalMs: 1, scan: 2 }\n`);
    writeFileSync(join(directory, 'password'), 'the-password-of-a-file\n');
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  beforeEach(() => (printed = []));

  it('dump: prints each value with its source, and masks every secret', async () => {
    const variables = {
      OPERATOR_PRIVATE_KEY: KEY,
      LOG_LEVEL: 'warn',
      DB_PASSWORD: undefined,
      DB_PASSWORD_FILE: join(directory, 'password'),
    };
    expect(await dumpConfig({ json: true }, terminal, from(variables))).toBe(0);
    const values = JSON.parse(printed.join('\n')) as ShownValue[];
    for (const value of [
      { key: 'network.chainId', value: '8453', source: 'bot.yaml' },
      { key: 'detector.scanIntervalMs', value: '7000', source: 'bot.yaml' },
      { key: 'planner.minProfitUsd', value: '5', source: 'default' },
      { key: 'safety.maxSingleExecutionUsd', value: '500', source: 'default' },
      { key: 'monitoring.logLevel', value: 'warn', source: 'LOG_LEVEL' },
      { key: 'rpc.primary.http', value: '***', source: 'RPC_PRIMARY_HTTP' },
      { key: 'api.keys[0].sha256', value: '***', source: 'bot.yaml' },
      { key: 'OPERATOR_PRIVATE_KEY', value: '***', source: 'OPERATOR_PRIVATE_KEY' },
      { key: 'DB_PASSWORD', value: '***', source: 'DB_PASSWORD_FILE' },
    ])
      expect(values).toContainEqual(value);
    printed = [];
    await dumpConfig({}, terminal, from(variables));
    expect(printed).toContainEqual(expect.stringMatching(/^network\.chainId +8453 {2}\(bot\.yaml\)$/));
    for (const secret of [KEY.slice(2), SHA256, 'access-key', 'the-user', 'the-password-of-a-file'])
      expect(printed.join('\n') + JSON.stringify(values)).not.toContain(secret);
  });

  it('validate: says that a file is valid', async () => {
    expect(await validateConfig({}, terminal, from())).toBe(0);
    expect(await validateConfig({ file: 'bot.yaml', json: true }, terminal, from())).toBe(0);
    expect(printed[0]).toBe('bot.yaml: the configuration is valid');
    expect(JSON.parse(printed[1]!)).toEqual({ file: 'bot.yaml', valid: true, problems: [] });
  });

  it('validate: says every mistake in a sentence', async () => {
    const problems = [
      'detector.scan: is not a known key; did you mean scanIntervalMs?',
      'detector.scanIntervalMs: "1" is not valid; an integer from 100 to 3600000 was expected, for example 5000',
    ];
    await expect(validateConfig({ file: 'wrong.yaml' }, terminal, from())).rejects.toMatchObject({
      problems: expect.arrayContaining([problems[1]]) as unknown,
    });
    expect(await validateConfig({ file: 'wrong.yaml', json: true }, terminal, from())).toBe(1);
    const answer = JSON.parse(printed.join('\n')) as { valid: boolean; problems: string[] };
    expect(answer).toMatchObject({ file: 'wrong.yaml', valid: false });
    expect(answer.problems).toHaveLength(2);
    expect(answer.problems[0]).toMatch(/^detector\.scan: is not a known key/);
    await expect(validateConfig({ file: 'none.yaml' }, terminal, from())).rejects.toThrow(
      /^FILE: there is no file none\.yaml/,
    );
  });
});
