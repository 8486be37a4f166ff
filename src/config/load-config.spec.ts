import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChimeraConfigModule } from './config.module.js';
import { forgetSecrets, secretTexts } from './config-secrets.js';
import { loadConfig } from './load-config.js';
import { ChimeraConfig } from './sections.js';

const YAML = `
network: { name: base, chainId: 8453 }
rpc: { primary: { http: '\${RPC_PRIMARY_HTTP}' } }
database: { embedded: true, dataDir: ./data }
protocols:
  - { name: aave, kind: aave-v3, addressesProvider: '0xe20fCBdBfFC4Dd138cE8b2E6FBb6CB49777ad64D', fromBlock: 1 }
oracles: { nativeUsdFeed: '0x71041dddad3595F9CEd3DcCFBe3D1F4b0a16Bb70' }
liquidity:
  uniswapV3:
    factory: '0x33128a8fC17869897dcE68Ed026d694621f6FDfD'
execution: { chimera: '0x2626664c2603336E57B271c5C0b26F421741e481' }
`;

describe('loadConfig', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'chimera-config-'));
    mkdirSync(join(directory, 'config'));
    writeFileSync(join(directory, 'config', 'base.yaml'), YAML);
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('reads config/base.yaml and .env of the working directory; the process environment wins over .env', async () => {
    writeFileSync(
      join(directory, '.env'),
      'RPC_PRIMARY_HTTP="http://from-file" # comment\nDB_PASSWORD=in-file\n',
    );
    const fromFile = await loadConfig({ directory, variables: {} });
    expect(fromFile.rpc.primary.http.reveal()).toBe('http://from-file');
    expect(fromFile.environment.dbPassword?.reveal()).toBe('in-file');
    const fromProcess = await loadConfig({
      directory,
      variables: { RPC_PRIMARY_HTTP: 'http://from-process' },
    });
    expect(fromProcess.rpc.primary.http.reveal()).toBe('http://from-process');
    expect(process.env.DB_PASSWORD).not.toBe('in-file');
  });

  it.each<[string, (text: string) => Buffer]>([
    ['with the mark of UTF-8', (text) => Buffer.from(`\uFEFF${text}`)],
    ['in UTF-16, as PowerShell writes it', (text) => Buffer.from(`\uFEFF${text}`, 'utf16le')],
    ['with the line breaks of Windows', (text) => Buffer.from(text.replaceAll('\n', '\r\n'))],
  ])('reads both files %s', async (_, written) => {
    writeFileSync(
      join(directory, '.env'),
      written('RPC_PRIMARY_HTTP=http://from-file\nDB_PASSWORD="a#b $c"\n'),
    );
    writeFileSync(join(directory, 'config', 'base.yaml'), written(YAML.trimStart()));
    const config = await loadConfig({ directory, variables: {} });
    expect(config.rpc.primary.http.reveal()).toBe('http://from-file');
    expect(config.environment.dbPassword?.reveal()).toBe('a#b $c');
  });

  it('refuses a file in another encoding in one sentence, and replaces nothing in it', async () => {
    const text = Buffer.from('RPC_PRIMARY_HTTP=http://node\nDB_PASSWORD=p\xfcss\n', 'latin1');
    writeFileSync(join(directory, '.env'), text);
    await expect(loadConfig({ directory, variables: {} })).rejects.toThrow(
      /\.env: the file is not UTF-8 text; save it as UTF-8$/,
    );
    writeFileSync(join(directory, 'secret'), text);
    const variables = { RPC_PRIMARY_HTTP: 'http://node', DB_PASSWORD_FILE: join(directory, 'secret') };
    rmSync(join(directory, '.env'));
    await expect(loadConfig({ directory, variables })).rejects.toThrow(
      /^DB_PASSWORD_FILE: the file it names is not UTF-8 text/,
    );
  });

  it('takes the half of a line break off that Docker leaves at a variable', async () => {
    const config = await loadConfig({
      directory,
      variables: { RPC_PRIMARY_HTTP: 'http://node\r', DB_PASSWORD: ' a password\r' },
    });
    expect(config.rpc.primary.http.reveal()).toBe('http://node');
    expect(config.environment.dbPassword?.reveal()).toBe(' a password');
  });

  it('A23 the process forgets its secrets once they are read, under whatever name, and nothing else', async () => {
    writeFileSync(join(directory, 'config', 'base.yaml'), YAML.replace('RPC_PRIMARY_HTTP', 'MY_NODE'));
    const variables = {
      MY_NODE: 'http://user:secret@node/a-long-access-key',
      OPERATOR_PRIVATE_KEY: `0x${'5a'.repeat(31)}01`,
      DB_PASSWORD: 'the-password',
      RPC_BACKUP_HTTP: 'http://unused/key',
      PATH: '/usr/bin',
      CHIMERA_CONFIG: 'config/base.yaml',
    };
    const config = await loadConfig({ directory, variables });
    const kept: NodeJS.ProcessEnv = { ...variables };
    forgetSecrets(config, kept);
    expect(kept).toEqual({ PATH: '/usr/bin', CHIMERA_CONFIG: 'config/base.yaml' });
    expect(config.environment.dbPassword?.reveal()).toBe('the-password');
    expect(secretTexts(config)).toEqual(
      expect.arrayContaining([
        variables.MY_NODE,
        'user:secret',
        'a-long-access-key',
        'the-password',
        '5a'.repeat(31) + '01',
      ]),
    );
  });

  it('reads the file that CHIMERA_CONFIG names', async () => {
    writeFileSync(join(directory, 'other.yaml'), YAML.replace('8453', '31337'));
    const config = await loadConfig({
      directory,
      variables: { CHIMERA_CONFIG: 'other.yaml', RPC_PRIMARY_HTTP: 'http://node' },
    });
    expect(config.network.chainId).toBe(31337);
  });

  it('says in one sentence that there is no such file', async () => {
    await expect(loadConfig({ directory, variables: { CHIMERA_CONFIG: 'absent.yaml' } })).rejects.toThrow(
      /^CHIMERA_CONFIG: there is no file absent.yaml in .*; the path of a YAML file was expected, for example config\/base.yaml$/,
    );
  });

  it('is injected into Nest providers by its class, loaded once', async () => {
    @Injectable()
    class Reader {
      constructor(readonly config: ChimeraConfig) {}
    }
    const config = await loadConfig({ directory, variables: { RPC_PRIMARY_HTTP: 'http://node' } });
    @Module({ imports: [ChimeraConfigModule.forRoot(() => config)], providers: [Reader] })
    class App {}
    Logger.overrideLogger(false);
    const app = await NestFactory.createApplicationContext(App);
    expect(app.get(Reader).config).toBe(config);
    await app.close();
  });
});
