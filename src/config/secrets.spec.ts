import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { KEY, LEAST, problemsOf, VARIABLES, withSection } from '../../testing/configuration.js';
import type { Variables } from './environment-values.js';
import { parseConfig } from './parse-config.js';

describe('secrets', () => {
  const hidden: Variables = {
    RPC_PRIMARY_HTTP: 'not-a-url-with-access-key-1',
    RPC_BACKUP_WS: 'https://backup/access-key-2',
    DB_USER: 'user-3',
    DB_PASSWORD: 'password-4',
    REDIS_PASSWORD: 'password-5',
    OPERATOR_PRIVATE_KEY: 'key-6-not-hex',
  };

  it('never appear in a message, whichever key they were written under', () => {
    const pasted = Object.values(hidden);
    for (const secret of [...pasted, KEY]) {
      const yaml = [
        withSection(
          'rpc',
          `{ primary: { http: '${secret}', ws: '${secret}' }, backup: { ws: \${RPC_BACKUP_WS} } }`,
        ),
        `planner: { minProfitUsd: '${secret}', '${secret}': 1 }`,
        `api: { host: 'x ${secret}', keys: [{ name: '! ${secret}', role: '${secret}', sha256: '${secret}' }, '${secret}'] }`,
        `redis: { host: a, password: '${secret}' }`,
        `privateKey: '${secret}'`,
      ].join('\n');
      const problems = problemsOf(yaml, hidden);
      expect(problems.length).toBeGreaterThan(8);
      for (const value of [...pasted, KEY]) expect(problems.join('\n')).not.toContain(value);
    }
  });

  it('never appear in a YAML syntax error', () => {
    for (const broken of [
      `a: [\nb: *${KEY}`,
      `database: { password: ${KEY}`,
      `x: !<${KEY}> 1`,
      `x: !a${KEY}[ 1`,
      `x: "${KEY}\\z"`,
    ]) {
      const problems = problemsOf(broken);
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatch(/is not valid YAML at line \d, column \d+: /);
      expect(problems[0]).not.toContain(KEY.slice(2, 20));
    }
  });

  it('are refused in the file, and the message names the variable to use', () => {
    const yaml = withSection('database', '{ host: a, name: b, user: c, password: d }');
    expect(problemsOf(`${yaml}\nredis: { host: a, password: b }\noperatorPrivateKey: x`)).toEqual([
      expect.stringMatching(/^database.user: .* secrets do not belong here; set DB_USER/),
      expect.stringMatching(/^database.password: .* set DB_PASSWORD/),
      expect.stringMatching(/^redis.password: .* set REDIS_PASSWORD/),
      expect.stringMatching(/^operatorPrivateKey: .* set OPERATOR_PRIVATE_KEY/),
    ]);
  });

  it('print as *** when the configuration is printed', () => {
    const config = parseConfig(LEAST, { ...VARIABLES, OPERATOR_PRIVATE_KEY: KEY });
    const bigintsAsText = (_: string, value: unknown): unknown =>
      typeof value === 'bigint' ? String(value) : value;
    for (const text of [inspect(config, { depth: 9 }), JSON.stringify(config, bigintsAsText)]) {
      expect(text).toContain('***');
      for (const secret of ['access-key', 'the-user', 'the-password', KEY.slice(2)])
        expect(text).not.toContain(secret);
    }
  });
});
