import type { Redis } from 'ioredis';
import { Clock } from '../domain/clock.js';
import { messageOf } from '../domain/errors.js';
import type { Events } from '../domain/events/events.js';
import { Cache } from './cache.js';
import { BoundedTexts } from './memory-cache.js';

/**
 * After a failure, Redis is not asked for this long. The pause doubles up to its limit, so that a hanging
 * Redis costs little time.
 */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** At most one outage is reported in this time, even if Redis comes and goes. */
const REPORT_EVERY_MS = 30_000;
/**
 * How many keys that changed during an outage are remembered, to be written to Redis. Beyond it the oldest
 * are forgotten: Redis may then return their old values until they expire.
 */
const MOST_UNWRITTEN = 10_000;

/**
 * Redis, with a bounded copy in memory that answers while Redis does not. Changes during an outage are
 * written to Redis when it is back, so that it returns no old values.
 */
export class RedisCache extends Cache {
  readonly #unwritten = new Set<string>();
  #failures = 0;
  #pausedUntilMs = 0;
  #reportedAtMs = -Infinity;
  #outageReported = false;
  #writing = false;

  constructor(
    private readonly redis: Redis,
    private readonly events: Events,
    private readonly copy = new BoundedTexts(),
    private readonly clock = new Clock(),
  ) {
    super();
    redis.on('error', (error: Error) => this.#failed(error));
    redis.on('reconnecting', () => this.#failed(new Error('the connection was lost')));
    redis.on('ready', () => this.#answered());
  }

  override get store(): 'redis' | 'memory' {
    return this.#usable() ? 'redis' : 'memory';
  }

  override async delete(key: string): Promise<void> {
    this.copy.delete(key);
    await this.#write(key);
  }

  protected override async load(key: string): Promise<string | undefined> {
    if (!this.#unwritten.has(key)) {
      const answer = await this.#ask((redis) => redis.get(key));
      if (answer) return answer.value ?? undefined;
    }
    return this.copy.get(key);
  }

  protected override async save(key: string, text: string, ttlMs: number): Promise<void> {
    this.copy.set(key, text, ttlMs);
    await this.#write(key);
  }

  /** Writes one key of the copy to Redis, now or when Redis is back. */
  async #write(key: string): Promise<void> {
    // This comes first: a read during the command must not see the old value.
    this.#unwritten.add(key);
    for (const oldest of this.#unwritten) {
      if (this.#unwritten.size <= MOST_UNWRITTEN) break;
      this.#unwritten.delete(oldest);
    }
    const text = this.copy.get(key);
    const ttlMs = Math.ceil(this.copy.ttlMs(key));
    const written = await this.#ask<unknown>((redis) =>
      text !== undefined && ttlMs > 0 ? redis.set(key, text, 'PX', ttlMs) : redis.del(key),
    );
    if (written && this.copy.get(key) === text) this.#unwritten.delete(key);
  }

  async #ask<T>(command: (redis: Redis) => Promise<T>): Promise<{ readonly value: T } | undefined> {
    if (!this.#usable()) return undefined;
    try {
      const value = await command(this.redis);
      this.#answered();
      return { value };
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  #usable(): boolean {
    return this.redis.status === 'ready' && this.clock.monotonicMs() >= this.#pausedUntilMs;
  }

  #answered(): void {
    this.#failures = 0;
    this.#pausedUntilMs = 0;
    if (this.#outageReported) {
      this.#outageReported = false;
      this.events.emit({ event: 'cache-back' });
    }
    if (this.#unwritten.size > 0 && !this.#writing) void this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    this.#writing = true;
    for (const key of [...this.#unwritten]) {
      if (!this.#usable()) break;
      await this.#write(key);
    }
    this.#writing = false;
  }

  #failed(error: unknown): void {
    const now = this.clock.monotonicMs();
    this.#pausedUntilMs =
      now + Math.min(FIRST_PAUSE_MS * 2 ** Math.min(this.#failures, 10), LONGEST_PAUSE_MS);
    this.#failures++;
    if (this.#outageReported || now - this.#reportedAtMs < REPORT_EVERY_MS) return;
    this.#reportedAtMs = now;
    this.#outageReported = true;
    this.events.emit({ event: 'cache-lost', message: `Redis does not answer: ${messageOf(error)}` });
  }
}
