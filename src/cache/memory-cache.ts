import { Clock } from '../domain/clock.js';
import { Cache } from './cache.js';

/** Enough for a bot with tens of thousands of positions. At a few hundred bytes each it takes a few MB. */
export const CAPACITY = 10_000;

interface Entry {
  readonly text: string;
  readonly expiresAtMs: number;
}

/** Texts with a time to live. Beyond the capacity, the least recently used entry is dropped. */
export class BoundedTexts {
  /** In the order of use: the least recently used entry is the first. */
  readonly #entries = new Map<string, Entry>();

  constructor(
    private readonly capacity: number = CAPACITY,
    private readonly clock = new Clock(),
  ) {}

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): string | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    if (entry.expiresAtMs <= this.clock.monotonicMs()) return undefined;
    this.#entries.set(key, entry);
    return entry.text;
  }

  /** The milliseconds that an entry has left; 0 when it is gone. */
  ttlMs(key: string): number {
    return Math.max(0, (this.#entries.get(key)?.expiresAtMs ?? 0) - this.clock.monotonicMs());
  }

  set(key: string, text: string, ttlMs: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { text, expiresAtMs: this.clock.monotonicMs() + ttlMs });
    if (this.#entries.size > this.capacity) this.#dropOldest();
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  #dropOldest(): void {
    for (const key of this.#entries.keys()) {
      this.#entries.delete(key);
      return;
    }
  }
}

/** The cache of a bot without Redis. It is bounded, and is lost when the process ends. */
export class MemoryCache extends Cache {
  readonly store = 'memory';

  constructor(private readonly texts = new BoundedTexts()) {
    super();
  }

  override delete(key: string): Promise<void> {
    this.texts.delete(key);
    return Promise.resolve();
  }

  protected override load(key: string): Promise<string | undefined> {
    return Promise.resolve(this.texts.get(key));
  }

  protected override save(key: string, text: string, ttlMs: number): Promise<void> {
    this.texts.set(key, text, ttlMs);
    return Promise.resolve();
  }
}
