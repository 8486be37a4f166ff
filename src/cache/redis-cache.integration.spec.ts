import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { BoundedTexts } from './memory-cache.js';
import { RedisCache } from './redis-cache.js';
import { faultBegins } from '../../testing/fault-times.js';

const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
if (!hasRedis) console.warn('RedisCache specs are skipped: redis-server is not on the PATH');

const asText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

describe.skipIf(!hasRedis)('RedisCache', () => {
  let port: number;
  let server: ChildProcess;
  let redis: Redis;
  let copy: BoundedTexts;
  let cache: RedisCache;
  let events: RecordedEvents;

  const start = async (): Promise<ChildProcess> => {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', ''];
    const started = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of started.stdout) if (String(line).includes('Ready to accept')) break;
    return started;
  };
  const kill = async (): Promise<void> => {
    server.kill('SIGKILL');
    await once(server, 'exit');
  };
  const until = (store: 'redis' | 'memory'): Promise<void> =>
    vi.waitFor(() => expect(cache.store).toBe(store), { timeout: 10_000, interval: 20 });

  beforeEach(async () => {
    events = new RecordedEvents();
    port = await freePort();
    server = await start();
    redis = new Redis({
      port,
      maxRetriesPerRequest: 1,
      enableOfflineQueue: false,
      connectTimeout: 1000,
      commandTimeout: 200,
      retryStrategy: (attempt) => Math.min(attempt * 20, 200),
    });
    copy = new BoundedTexts(100);
    cache = new RedisCache(redis, events, copy);
    await until('redis');
  });

  afterEach(async () => {
    redis.disconnect();
    if (server.exitCode === null && server.signalCode === null) await kill();
  });

  it('keeps entries in Redis with their time to live', async () => {
    await cache.set('a', 'one', 60_000);
    expect(await redis.get('a')).toBe('"one"');
    expect(await redis.pttl('a')).toBeGreaterThan(55_000);
    expect(await cache.get('a', asText)).toBe('one');
    await cache.delete('a');
    expect(await redis.exists('a')).toBe(0);
  });

  it('F33 a flushed Redis is rebuilt by the next set', async () => {
    await cache.set('a', 'one', 60_000);
    const fault = faultBegins();
    await redis.flushall();
    expect(await cache.get('a', asText)).toBeUndefined();
    fault.detected();
    fault.over();
    await cache.set('a', 'two', 60_000);
    expect(await cache.get('a', asText)).toBe('two');
    fault.recovered();
  });

  it('garbage in Redis is a miss', async () => {
    await redis.set('a', '{broken');
    expect(await cache.get('a', asText)).toBeUndefined();
    expect(await redis.exists('a')).toBe(0);
  });

  it('F32 memory answers while Redis is down, and Redis takes over again by itself', async () => {
    await cache.set('a', 'before', 60_000);
    const fault = faultBegins();
    await kill();
    expect(await cache.get('a', asText)).toBe('before');
    await cache.set('b', 'during', 60_000);
    expect(await cache.get('b', asText)).toBe('during');
    expect(cache.store).toBe('memory');
    fault.detected();
    fault.over();
    server = await start();
    await until('redis');
    fault.recovered();
    await cache.set('c', 'after', 60_000);
    expect(await redis.get('c')).toBe('"after"');
    expect(events.all.map(({ event }) => event)).toEqual(['cache-lost', 'cache-back']);
  });

  it('F32 changes during an outage are written to Redis afterwards, and no old value returns', async () => {
    await cache.set('changed', 'old', 60_000);
    await cache.set('deleted', 'old', 60_000);
    redis.disconnect(true);
    await vi.waitFor(() => expect(cache.store).toBe('memory'), { interval: 1 });
    await cache.set('changed', 'new', 60_000);
    await cache.delete('deleted');
    expect(await cache.get('changed', asText)).toBe('new');
    await until('redis');
    expect(await cache.get('changed', asText)).toBe('new');
    expect(await cache.get('deleted', asText)).toBeUndefined();
    await vi.waitFor(async () => {
      expect(await redis.get('changed')).toBe('"new"');
      expect(await redis.exists('deleted')).toBe(0);
    });
  });

  it('F32 a Redis that hangs costs one deadline, then memory answers at once', async () => {
    await cache.set('a', 'one', 60_000);
    server.kill('SIGSTOP');
    expect(await cache.get('a', asText)).toBe('one');
    const started = performance.now();
    for (let i = 0; i < 100; i++) expect(await cache.get('a', asText)).toBe('one');
    expect(performance.now() - started).toBeLessThan(100);
    server.kill('SIGCONT');
    await until('redis');
    await vi.waitFor(async () => expect(await redis.get('a')).toBe('"one"'));
  });

  it('F32 a Redis that comes and goes costs bounded memory and few events', async () => {
    for (let flap = 0; flap < 3; flap++) {
      await kill();
      for (let i = 0; i < 200; i++) await cache.set(`${flap}-${i}`, 'x', 60_000);
      server = await start();
      await until('redis');
      await sleep(50);
    }
    expect(copy.size).toBeLessThanOrEqual(100);
    expect(events.all.length).toBeLessThanOrEqual(2);
  });
});
