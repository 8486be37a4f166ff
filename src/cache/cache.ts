import type { Json } from '../domain/json.js';

/**
 * Short-lived values that can be computed again. A lost, old or unreadable entry costs time, never
 * correctness. It is no lock, and no record of what was sent.
 *
 * No method throws when the store cannot be reached.
 */
export abstract class Cache {
  /** The store that answers now. */
  abstract readonly store: 'redis' | 'memory';

  /**
   * @param read checks the stored value and returns it with its type. undefined: it cannot be used and is
   *   deleted.
   * @returns undefined when there is no usable entry.
   */
  async get<T>(key: string, read: (value: unknown) => T | undefined): Promise<T | undefined> {
    const text = await this.load(key);
    if (text === undefined) return undefined;
    const value = readJson(text, read);
    if (value === undefined) await this.delete(key);
    return value;
  }

  /** @param ttlMs the entry's time to live in milliseconds, more than 0. */
  set(key: string, value: Json, ttlMs: number): Promise<void> {
    return this.save(key, JSON.stringify(value), Math.max(1, Math.ceil(ttlMs)));
  }

  abstract delete(key: string): Promise<void>;

  protected abstract load(key: string): Promise<string | undefined>;

  protected abstract save(key: string, text: string, ttlMs: number): Promise<void>;
}

function readJson<T>(text: string, read: (value: unknown) => T | undefined): T | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return read(value);
}
