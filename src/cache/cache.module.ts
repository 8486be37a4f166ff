import { Module } from '@nestjs/common';
import { RedisModule, RedisService, type RedisModuleOptions } from '@liaoliaots/nestjs-redis';
import { ChimeraConfig } from '../config/index.js';
import { Clock } from '../domain/clock.js';
import { Events } from '../domain/events/events.js';
import { Cache } from './cache.js';
import { BoundedTexts, CAPACITY, MemoryCache } from './memory-cache.js';
import { RedisCache } from './redis-cache.js';

/**
 * Every command fails fast instead of waiting in a queue, so that a pass of the bot never waits for the
 * cache. The client reconnects by itself, without end.
 */
const FAIL_FAST = {
  maxRetriesPerRequest: 1,
  enableOfflineQueue: false,
  connectTimeout: 1000,
  commandTimeout: 500,
  retryStrategy: (attempt: number): number => Math.min(attempt * 100, 2000),
};

function redisOptions(config: unknown): RedisModuleOptions {
  if (!(config instanceof ChimeraConfig)) throw new TypeError('ChimeraConfig was expected');
  const { redis, network, environment } = config;
  // Without a configured Redis there is no client.
  if (!redis) return { config: [] };
  return {
    errorLog: false,
    readyLog: false,
    config: {
      ...FAIL_FAST,
      host: redis.host,
      port: redis.port,
      db: redis.db,
      keyPrefix: `chimera:${network.chainId}:`,
      ...(environment.redisPassword && { password: environment.redisPassword.reveal() }),
    },
  };
}

/**
 * Provides the {@link Cache}: in Redis if one is configured, otherwise in memory. It must never hold a
 * secret, or a value that cannot be computed again.
 */
@Module({
  imports: [RedisModule.forRootAsync({ useFactory: redisOptions, inject: [ChimeraConfig] }, false)],
  providers: [
    {
      provide: Cache,
      inject: [RedisService, ChimeraConfig, Events, Clock],
      useFactory: (
        service: RedisService,
        { environment: { redisPassword } }: ChimeraConfig,
        events: Events,
        clock: Clock,
      ): Cache => {
        const client = service.getOrNil();
        // The password can change while the bot runs: each new connection logs in with the newest.
        if (redisPassword)
          client?.on('reconnecting', () => (client.options.password = redisPassword.reveal()));
        const texts = new BoundedTexts(CAPACITY, clock);
        return client ? new RedisCache(client, events, texts, clock) : new MemoryCache(texts);
      },
    },
  ],
  exports: [Cache],
})
export class CacheModule {}
