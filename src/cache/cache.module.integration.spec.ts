import { Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { beforeAll, describe, expect, it } from 'vitest';
import { Ambient } from '../../testing/ambient.js';
import { VARIABLES, withSection } from '../../testing/configuration.js';
import { eventually } from '../../testing/eventually.js';
import { hasRedis, startRedis } from '../../testing/redis.js';
import { ChimeraConfigModule, parseConfig } from '../config/index.js';
import { Cache } from './cache.js';
import { CacheModule } from './cache.module.js';
import { MemoryCache } from './memory-cache.js';
import { RedisCache } from './redis-cache.js';

const YAML = `${withSection('database', '{ embedded: true, dataDir: ./data }')}\n`;

const asText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

async function appWith(yaml: string, config = parseConfig(yaml, { ...VARIABLES, REDIS_PASSWORD: 'secret' })) {
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

  it.skipIf(!hasRedis)(
    'F32 after its password has changed in Redis, a new connection logs in with the new one',
    async () => {
      const redis = await startRedis('--requirepass', 'first-password');
      const config = parseConfig(`${YAML}redis: { host: 127.0.0.1, port: ${redis.port} }`, {
        ...VARIABLES,
        REDIS_PASSWORD: 'first-password',
      });
      const app = await appWith('', config);
      const admin = new Redis({ port: redis.port, password: 'first-password' });
      try {
        const cache = app.get(Cache, { strict: false });
        await eventually(() => cache.store === 'redis', 'the first login');
        await admin.config('SET', 'requirepass', 'second-password');
        await admin.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        await eventually(() => cache.store === 'memory', 'the old password to be refused');
        config.environment.redisPassword?.replace('second-password');
        await eventually(() => cache.store === 'redis', 'the second login');
        await cache.set('a', 'one', 60_000);
        expect(await admin.exists('chimera:8453:a')).toBe(1);
      } finally {
        admin.disconnect();
        await app.close();
        await redis.stop();
      }
    },
  );
});
