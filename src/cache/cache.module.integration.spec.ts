import { Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { Ambient } from '../../testing/ambient.js';
import { ChimeraConfigModule, parseConfig } from '../config/index.js';
import { Cache } from './cache.js';
import { CacheModule } from './cache.module.js';
import { MemoryCache } from './memory-cache.js';
import { RedisCache } from './redis-cache.js';

const YAML = `
network: { name: base, chainId: 8453 }
rpc: { primary: { http: 'http://127.0.0.1:1' } }
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

const asText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

async function appWith(yaml: string) {
  const config = parseConfig(yaml, { REDIS_PASSWORD: 'secret' });
  @Module({ imports: [ChimeraConfigModule.forRoot(() => config), Ambient, CacheModule] })
  class App {}
  return NestFactory.createApplicationContext(App);
}

describe('CacheModule', () => {
  beforeAll(() => Logger.overrideLogger(false));

  it('is in memory when no Redis is configured', async () => {
    const app = await appWith(YAML);
    expect(app.get(Cache, { strict: false })).toBeInstanceOf(MemoryCache);
    await app.close();
  });

  it('F32 without its Redis the bot starts, works and stops', async () => {
    const started = performance.now();
    const app = await appWith(`${YAML}redis: { host: 127.0.0.1, port: 1 }`);
    const cache = app.get(Cache, { strict: false });
    expect(cache).toBeInstanceOf(RedisCache);
    await cache.set('a', 'one', 60_000);
    expect(await cache.get('a', asText)).toBe('one');
    expect(cache.store).toBe('memory');
    await app.close();
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});
