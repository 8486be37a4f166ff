import { describe, expect, it } from 'vitest';
import type { Variables } from './environment-values.js';
import { ANVIL_KEY, KEY, LEAST, problemsOf, VARIABLES, withSection } from '../../testing/configuration.js';
import { parseConfig } from './parse-config.js';

describe('variables', () => {
  it('a required variable without a value names key and variable', () => {
    expect(problemsOf(LEAST, { ...VARIABLES, RPC_PRIMARY_HTTP: '' })).toEqual([
      'rpc.primary.http: the environment variable RPC_PRIMARY_HTTP has no value; set RPC_PRIMARY_HTTP (or RPC_PRIMARY_HTTP_FILE)',
    ]);
  });

  it('a variable without a value is an error even where there is a default', () => {
    expect(problemsOf(`${LEAST}api: { port: \${API_PORT} }`)).toEqual([
      'api.port: the environment variable API_PORT has no value; set API_PORT (or API_PORT_FILE)',
    ]);
  });

  it('LOG_LEVEL and LOG_FORMAT win over the file, and are checked like it', () => {
    const yaml = `${LEAST}monitoring: { logLevel: warn }`;
    expect(parseConfig(yaml, VARIABLES).monitoring.logLevel).toBe('warn');
    const wins = { ...VARIABLES, LOG_LEVEL: 'debug', LOG_FORMAT: 'pretty' };
    expect(parseConfig(yaml, wins).monitoring).toMatchObject({ logLevel: 'debug', logFormat: 'pretty' });
    expect(parseConfig(yaml, { ...VARIABLES, LOG_LEVEL: '' }).monitoring.logLevel).toBe('warn');
    expect(problemsOf(yaml, { ...VARIABLES, LOG_LEVEL: 'loud' })).toEqual([
      'monitoring.logLevel: the value of ${LOG_LEVEL} is not valid; one of debug, info, warn, error was expected, for example info',
    ]);
    expect(problemsOf(`${LEAST}monitoring: { logLevel: trace, logFormat: xml }`)).toEqual([
      'monitoring.logLevel: "trace" is not valid; one of debug, info, warn, error was expected, for example info',
      'monitoring.logFormat: "xml" is not valid; one of auto, json, pretty was expected, for example auto',
    ]);
  });

  it('an optional endpoint is left out when none of its variables has a value, and is a problem when only one has', () => {
    const yaml = withSection(
      'rpc',
      '{ primary: { http: ${RPC_PRIMARY_HTTP}, ws: ${RPC_PRIMARY_WS} }, backup: { http: ${RPC_BACKUP_HTTP}, ws: ${RPC_BACKUP_WS} } }',
    );
    const config = parseConfig(yaml, VARIABLES);
    expect(config.rpc.backup).toBeUndefined();
    expect(config.rpc.primary.ws).toBeUndefined();
    expect(problemsOf(yaml, { ...VARIABLES, RPC_BACKUP_WS: 'wss://node' })).toEqual([
      expect.stringMatching(/^rpc.backup.http: the environment variable RPC_BACKUP_HTTP has no value/),
    ]);
  });

  it('a value is never parsed as YAML', () => {
    const yaml = withSection('database', '{ host: ${DB_HOST}, name: chimera }');
    expect(problemsOf(yaml, { ...VARIABLES, DB_HOST: 'a, password: b }' })).toEqual([
      expect.stringMatching(/^database.host: the value of \$\{DB_HOST\} is not valid/),
    ]);
  });

  it('a secret may be in the file that NAME_FILE names; its last line break is left out', () => {
    const files: Record<string, string> = { '/run/pw': 'from-file\n', '/run/rpc': 'http://127.0.0.1:8545\n' };
    const config = parseConfig(
      LEAST,
      { DB_USER: 'u', DB_PASSWORD_FILE: '/run/pw', RPC_PRIMARY_HTTP_FILE: '/run/rpc' },
      { readText: (path) => files[path] ?? '' },
    );
    expect(config.environment.dbPassword?.reveal()).toBe('from-file');
    expect(config.rpc.primary.http.reveal()).toBe('http://127.0.0.1:8545');
  });

  it('a secret file that cannot be read is a problem, also where the variable itself has a value', () => {
    expect(
      problemsOf(LEAST, { ...VARIABLES, DB_USER_FILE: '/nonexistent', REDIS_PASSWORD_FILE: '/nonexistent' }),
    ).toEqual([
      'DB_USER_FILE: the file it names cannot be read (ENOENT); a readable file was expected',
      'REDIS_PASSWORD_FILE: the file it names cannot be read (ENOENT); a readable file was expected',
    ]);
  });

  it('live mode needs a private key, and refuses the published test keys except on chain 31337', () => {
    const live = withSection(
      'execution',
      '{ mode: live, chimera: 0x2626664c2603336E57B271c5C0b26F421741e481 }',
    );
    const key = (OPERATOR_PRIVATE_KEY: string): Variables => ({ ...VARIABLES, OPERATOR_PRIVATE_KEY });
    expect(problemsOf(live)).toEqual([
      expect.stringMatching(/^OPERATOR_PRIVATE_KEY: .* execution.mode is live/),
    ]);
    expect(problemsOf(live, key(KEY))).toEqual([]);
    expect(problemsOf(live, key(`0x${'0'.repeat(64)}`))).toEqual([
      expect.stringMatching(/not a private key/),
    ]);
    expect(problemsOf(live, key(ANVIL_KEY))).toEqual([
      expect.stringMatching(/published test key .* on chain 8453/),
    ]);
    expect(problemsOf(live.replace('8453', '31337'), key(ANVIL_KEY))).toEqual([]);
    expect(parseConfig(live, key(KEY.slice(2))).environment.operatorPrivateKey?.reveal()).toBe(KEY);
  });

  it('says of a line with a tab that it holds one', () => {
    expect(() => parseConfig('network:\n\tname: base\n', {})).toThrow(
      /is not valid YAML at line 2, column 1: .*; the line holds a tab, spaces were expected$/,
    );
  });
});
