import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChimeraConfigModule } from './config.module.js';
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
    quoter: '0x3d4e44Eb1374240CE5F1B871ab261CD16335B76a'
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

  it('reads config/base.yaml and .env of the working directory; the process environment wins over .env', () => {
    writeFileSync(
      join(directory, '.env'),
      'RPC_PRIMARY_HTTP="http://from-file" # comment\nDB_PASSWORD=in-file\n',
    );
    const fromFile = loadConfig({}, directory);
    expect(fromFile.rpc.primary.http.reveal()).toBe('http://from-file');
    expect(fromFile.environment.dbPassword?.reveal()).toBe('in-file');
    const fromProcess = loadConfig({ RPC_PRIMARY_HTTP: 'http://from-process' }, directory);
    expect(fromProcess.rpc.primary.http.reveal()).toBe('http://from-process');
    expect(process.env.DB_PASSWORD).not.toBe('in-file');
  });

  it('reads the file that CHIMERA_CONFIG names', () => {
    writeFileSync(join(directory, 'other.yaml'), YAML.replace('8453', '31337'));
    const config = loadConfig({ CHIMERA_CONFIG: 'other.yaml', RPC_PRIMARY_HTTP: 'http://node' }, directory);
    expect(config.network.chainId).toBe(31337);
  });

  it('says in one sentence that there is no such file', () => {
    expect(() => loadConfig({ CHIMERA_CONFIG: 'absent.yaml' }, directory)).toThrow(
      /^CHIMERA_CONFIG: there is no file absent.yaml in .*; the path of a YAML file was expected, for example config\/base.yaml$/,
    );
  });

  it('is injected into Nest providers by its class, loaded once', async () => {
    @Injectable()
    class Reader {
      constructor(readonly config: ChimeraConfig) {}
    }
    const config = loadConfig({ RPC_PRIMARY_HTTP: 'http://node' }, directory);
    @Module({ imports: [ChimeraConfigModule.forRoot(() => config)], providers: [Reader] })
    class App {}
    Logger.overrideLogger(false);
    const app = await NestFactory.createApplicationContext(App);
    expect(app.get(Reader).config).toBe(config);
    await app.close();
  });
});
