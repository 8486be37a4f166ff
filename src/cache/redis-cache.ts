import type { Redis } from 'ioredis';
import { Clock } from '../domain/clock.js';
import { messageOf } from '../domain/errors.js';
import type { Events } from '../domain/events/events.js';
import { Cache } from './cache.js';
import { BoundedTexts } from './memory-cache.js';

/** After a failure Redis is left alone for this long, doubling up to the limit: a Redis that hangs costs little. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** An outage is reported at most this often, however much Redis flaps. */
const REPORT_EVERY_MS = 30_000;
/** Keys changed during an outage and still to be told to Redis. Beyond it the oldest are forgotten until they expire. */
const MOST_UNTOLD = 10_000;

/**
 * Redis, with a bounded copy in memory that answers while Redis is away. What changed in the meantime is told to Redis
 * when it is back, so that it does not bring old values with it.
 */
export class RedisCache extends Cache {
  readonly #untold = new Set<string>();
  #failures = 0;
  #pausedUntilMs = 0;
  #reportedAtMs = -Infinity;
  #outageReported = false;
  #telling = false;

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
    await this.#tell(key);
  }

  protected override async load(key: string): Promise<string | undefined> {
    if (!this.#untold.has(key)) {
      const answer = await this.#ask((redis) => redis.get(key));
      if (answer) return answer.value ?? undefined;
    }
    return this.copy.get(key);
  }

  protected override async save(key: string, text: string, ttlMs: number): Promise<void> {
    this.copy.set(key, text, ttlMs);
    await this.#tell(key);
  }

  /** Brings Redis to what the copy holds of one key, now or when it is back. */
  async #tell(key: string): Promise<void> {
    // Noted first: a read that comes while the command is on its way must not see the old value.
    this.#untold.add(key);
    for (const oldest of this.#untold) {
      if (this.#untold.size <= MOST_UNTOLD) break;
      this.#untold.delete(oldest);
    }
    const text = this.copy.get(key);
    const ttlMs = Math.ceil(this.copy.ttlMs(key));
    const told = await this.#ask<unknown>((redis) =>
      text !== undefined && ttlMs > 0 ? redis.set(key, text, 'PX', ttlMs) : redis.del(key),
    );
    if (told && this.copy.get(key) === text) this.#untold.delete(key);
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
    if (this.#untold.size > 0 && !this.#telling) void this.#tellAll();
  }

  async #tellAll(): Promise<void> {
    this.#telling = true;
    for (const key of [...this.#untold]) {
      if (!this.#usable()) break;
      await this.#tell(key);
    }
    this.#telling = false;
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
