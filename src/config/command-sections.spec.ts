import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VARIABLES, withSection } from '../../testing/configuration.js';
import type { FetchSecrets } from './fetched-values.js';
import { loadApiAddress, loadRowsConfig } from './load-config.js';

const { DB_USER, DB_PASSWORD } = VARIABLES;
const CONFIG = { CHIMERA_CONFIG: 'chimera.yaml' };

/** A node and a contract that no variable names, and a section with mistakes. */
const BROKEN = `${withSection('execution', "{ chimera: '${CHIMERA_ADDRESS}', mode: soon }")}
planner: { nonsense: 1 }
api: { host: 0.0.0.0, port: 3100 }
`;

describe('what commands read that need little of the configuration', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'chimera-commands-'));
    writeFileSync(join(directory, 'chimera.yaml'), BROKEN);
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('where the API is, without a node, a contract, a database user, and beside mistakes', async () => {
    const { api } = await loadApiAddress({ directory, variables: CONFIG });
    expect(api).toMatchObject({ host: '0.0.0.0', port: 3100 });
  });

  it('the database, with its user and nothing else of the environment', async () => {
    const variables = { ...CONFIG, DB_USER, DB_PASSWORD };
    const { network, database, environment } = await loadRowsConfig({ directory, variables });
    expect([network.chainId, database]).toMatchObject([8453, { host: 'localhost', name: 'chimera' }]);
    expect(environment.dbUser?.reveal()).toBe(DB_USER);
    expect(environment.dbPassword?.reveal()).toBe(DB_PASSWORD);
  });

  it('a key that may not be read, or that only AWS knows, keeps no one from a halt or a report', async () => {
    const fetch: FetchSecrets = () => Promise.reject(new Error('AWS is asked for what is not needed'));
    const variables = {
      ...{ ...CONFIG, DB_USER, DB_PASSWORD },
      OPERATOR_PRIVATE_KEY_FILE: join(directory, 'of-root'),
      RPC_PRIMARY_HTTP_AWS_SECRET: 'chimera/node',
      CHIMERA_ADDRESS_AWS_SECRET: 'chimera/address',
    };
    expect((await loadApiAddress({ directory, variables, fetch })).api.port).toBe(3100);
    expect((await loadRowsConfig({ directory, variables, fetch })).network.name).toBe('base');
  });

  it('a source that a section names and that cannot be read is said, and not left out', async () => {
    const database = "{ host: '${DB_HOST}', name: chimera, ssl: verify-full, sslCa: '${DB_CA}' }";
    writeFileSync(join(directory, 'chimera.yaml'), withSection('database', database));
    const absent = { DB_CA_FILE: join(directory, 'ca'), DB_HOST_FILE: join(directory, 'host') };
    const variables = { ...CONFIG, DB_USER, DB_PASSWORD, ...absent };
    await expect(loadRowsConfig({ directory, variables })).rejects.toMatchObject({
      problems: expect.arrayContaining([
        expect.stringMatching(/^DB_CA_FILE: the file it names cannot be read \(ENOENT\)/),
        expect.stringMatching(/^DB_HOST_FILE: the file it names cannot be read \(ENOENT\)/),
      ]) as unknown,
    });
  });

  it.each([
    ['is misspelt', BROKEN.replace('api:', 'apis:'), /^apis: is not a known key; did you mean api\?$/],
    ['is that of another program', 'services: { bot: {} }\n', /^services: is not a known key/],
  ])('a file whose section `api` %s is refused: no other bot gets the order', async (_, text, sentence) => {
    writeFileSync(join(directory, 'chimera.yaml'), text);
    await expect(loadApiAddress({ directory, variables: CONFIG })).rejects.toMatchObject({
      problems: [expect.stringMatching(sentence)],
    });
  });

  it('mistakes in what they read are said, each in a sentence', async () => {
    writeFileSync(join(directory, 'chimera.yaml'), BROKEN.replace('3100', 'three').replace('8453', '-1'));
    await expect(loadApiAddress({ directory, variables: CONFIG })).rejects.toMatchObject({
      problems: [expect.stringMatching(/^api\.port: "three" is not valid/)],
    });
    const variables = { ...CONFIG, DB_PASSWORD_FILE: join(directory, 'absent') };
    await expect(loadRowsConfig({ directory, variables })).rejects.toMatchObject({
      problems: [
        expect.stringMatching(/^network\.chainId: "-1" is not valid/),
        expect.stringMatching(/^DB_PASSWORD_FILE: the file it names cannot be read \(ENOENT\)/),
        expect.stringMatching(/^DB_USER: the environment variable has no value/),
      ],
    });
  });
});
