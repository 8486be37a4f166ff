import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ANVIL_KEY, KEY } from '../../testing/configuration.js';
import { StartupError } from '../domain/errors.js';
import { EnvironmentValues, type Variables } from './environment-values.js';
import { loadDeploymentConfig } from './load-config.js';
import type { DeploymentConfig } from './sections.js';
import { deploymentConfigOf, parseConfig } from './parse-config.js';

const CHIMERA = '0x2626664c2603336E57B271c5C0b26F421741e481';
const BASE = readFileSync(new URL('../../config/base.yaml', import.meta.url), 'utf8');
const RPC: Variables = { RPC_PRIMARY_HTTP: 'https://node.example.com/v2/access-key' };

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof StartupError) return error.problems;
    throw error;
  }
  return [];
}

const parse = (yaml: string, variables: Variables, sends = false): DeploymentConfig =>
  deploymentConfigOf({ text: yaml }, new EnvironmentValues(variables), sends);
const deployment = (variables: Variables, sends = false, yaml = BASE): readonly string[] =>
  problemsOf(() => parse(yaml, { ...RPC, ...variables }, sends));

describe('the configuration as the deployment of the contract reads it', () => {
  it('needs neither contract nor operator nor database user, also in live mode', () => {
    const live = BASE.replace('mode: dry-run', 'mode: live');
    const config = parse(live, RPC);
    expect(config.execution).toMatchObject({ mode: 'live' });
    expect(config.execution.chimera).toBeUndefined();
    expect(config.environment).toEqual({});
    expect(Object.isFrozen(config.execution)).toBe(true);
  });

  it('takes the address of the contract, and zero before the first deployment', () => {
    for (const CHIMERA_ADDRESS of [CHIMERA, `0x${'0'.repeat(40)}`])
      expect(parse(BASE, { ...RPC, CHIMERA_ADDRESS }).execution.chimera).toBe(CHIMERA_ADDRESS.toLowerCase());
    expect(deployment({ CHIMERA_ADDRESS: '0x12' })).toEqual([
      expect.stringMatching(
        /^execution.chimera: the value of \$\{CHIMERA_ADDRESS\} is not valid; a contract address \(0x and 40 hex digits; in mixed case the checksum must be right\) was expected/,
      ),
    ]);
  });

  it('reports mistakes in the same sentences as the bot', () => {
    const wrong = BASE.replace('chainId: 8453', 'chainId: base').replace('slippageBps', 'slipageBps');
    const variables = { ...RPC, CHIMERA_ADDRESS: CHIMERA, DB_USER: 'u' };
    const problems = problemsOf(() => parseConfig(wrong, variables));
    expect(problems).toHaveLength(2);
    expect(deployment(variables, false, wrong)).toEqual(problems);
  });

  it('needs the deployer key only to send, and refuses published keys except on chain 31337', () => {
    expect(deployment({})).toEqual([]);
    expect(deployment({}, true)).toEqual([
      'DEPLOYER_PRIVATE_KEY: the environment variable has no value, but transactions are to be sent (--send); set it (or DEPLOYER_PRIVATE_KEY_FILE) to 0x and 64 hex digits',
    ]);
    expect(deployment({ DEPLOYER_PRIVATE_KEY: KEY }, true)).toEqual([]);
    const published = { DEPLOYER_PRIVATE_KEY: ANVIL_KEY, OPERATOR_PRIVATE_KEY: ANVIL_KEY };
    expect(deployment(published)).toEqual([
      expect.stringMatching(/^DEPLOYER_PRIVATE_KEY: this is a published test key .* on chain 8453/),
      expect.stringMatching(/^OPERATOR_PRIVATE_KEY: this is a published test key .* on chain 8453/),
    ]);
    expect(deployment(published, true, BASE.replace('8453', '31337'))).toEqual([]);
  });

  it('never shows the deployer key', () => {
    const pasted = BASE.replace('name: base', `name: 'x ${KEY.slice(2, 40)}'`);
    const problems = deployment({ DEPLOYER_PRIVATE_KEY: KEY.slice(2, 40) }, true, pasted);
    expect(problems).toEqual([
      expect.stringMatching(/^network.name: \*\*\* is not valid/),
      expect.stringMatching(/^DEPLOYER_PRIVATE_KEY: the value is not a private key/),
    ]);
    expect(problems.join()).not.toContain(KEY.slice(2, 40));
  });

  it('is read from the file that --config names, otherwise from the one that CHIMERA_CONFIG names', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'chimera-deployment-config-'));
    try {
      writeFileSync(join(directory, 'own.yaml'), BASE.replace('8453', '31337'));
      writeFileSync(join(directory, '.env'), 'RPC_PRIMARY_HTTP=http://from-file\n');
      const variables = { CHIMERA_CONFIG: 'absent.yaml' };
      const config = await loadDeploymentConfig({ file: 'own.yaml', sends: false }, variables, directory);
      expect(config.network.chainId).toBe(31337);
      expect(config.rpc.primary.http.reveal()).toBe('http://from-file');
      const absent = (file?: string): Promise<unknown> =>
        loadDeploymentConfig({ file, sends: false }, variables, directory);
      await expect(absent()).rejects.toThrow(/^CHIMERA_CONFIG: there is no file absent\.yaml/);
      await expect(absent('b.yaml')).rejects.toThrow(/^--config: there is no file b\.yaml/);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
