import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { LEAST as AS_WRITTEN } from '../../testing/configuration.js';
import { configSchema } from './json-schema.js';

/** With quotes, as YAML needs them. */
const LEAST = AS_WRITTEN.replace('${RPC_PRIMARY_HTTP}', "'${RPC_PRIMARY_HTTP}'");
const folder = fileURLToPath(new URL('../../config/', import.meta.url));
const isValid = new Ajv({ strict: true, allowUnionTypes: true }).compile(configSchema());
/** As an editor reads it: numbers are numbers. */
const problemsOf = (yaml: string): string[] =>
  isValid(load(yaml)) ? [] : (isValid.errors ?? []).map((one) => `${one.instancePath} ${one.message ?? ''}`);

describe('the JSON Schema of the configuration', () => {
  it.each(readdirSync(folder).filter((name) => name.endsWith('.yaml')))('accepts config/%s', (name) => {
    expect(problemsOf(readFileSync(`${folder}${name}`, 'utf8'))).toEqual([]);
  });

  it('accepts every kind of section, and values from the environment', () => {
    expect(
      problemsOf(`${LEAST}
api: { port: '\${PORT}', host: '0.0.0.0' }
alerts: { channels: [{ name: a, kind: slack }, { name: b, kind: email, host: h, from: a@b.cc, to: [c@d.ee] }] }
planner: { minProfitUsd: '12.50', slippageBps: '7' }
`),
    ).toEqual([]);
    const embedded = LEAST.replace(
      '{ host: localhost, name: chimera }',
      '{ embedded: true, dataDir: ./data }',
    );
    expect(problemsOf(embedded)).toEqual([]);
  });

  it.each([
    ['an unknown key', 'detector: { scan: 1 }', '/detector must NOT have additional properties'],
    ['a number out of range', 'detector: { scanIntervalMs: 1 }', '/detector/scanIntervalMs must be >= 100'],
    [
      'a word that is none of a few',
      'monitoring: { logLevel: loud }',
      '/monitoring/logLevel must be equal to',
    ],
    ['a flag that is no flag', 'monitoring: { metrics: 3 }', '/monitoring/metrics must be boolean'],
    ['an unknown kind', 'alerts: { channels: [{ name: a, kind: fax }] }', '/alerts/channels/0/kind must be'],
    ['a section for a list', 'alerts: { channels: { name: a } }', '/alerts/channels must be array'],
    ['a section without what it needs', 'redis: { port: 1 }', "/redis must have required property 'host'"],
  ])('refuses %s', (_, section, problem) => {
    expect(problemsOf(`${LEAST}\n${section}`).join('\n')).toContain(problem);
  });

  it('refuses a file without what is needed', () => {
    const found = problemsOf('network: { name: base }').join('\n');
    expect(found).toContain("must have required property 'rpc'");
  });
});
