import { describe, expect, it } from 'vitest';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { BoundedTexts, MemoryCache } from './memory-cache.js';

const asNumber = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);

function clockedCache(capacity: number) {
  const clock = new TestClock();
  const texts = new BoundedTexts(capacity, clock);
  return { texts, cache: new MemoryCache(texts), clock };
}

describe('MemoryCache', () => {
  it('gives back what was set until its time to live is over', async () => {
    const { cache, clock } = clockedCache(10);
    await cache.set('a', 1, 1000);
    clock.advance(999);
    expect(await cache.get('a', asNumber)).toBe(1);
    clock.advance(1);
    expect(await cache.get('a', asNumber)).toBeUndefined();
  });

  it('drops the least recently used entry beyond its capacity', async () => {
    const { cache, texts } = clockedCache(3);
    for (const [key, value] of Object.entries({ a: 1, b: 2, c: 3 })) await cache.set(key, value, 1000);
    await cache.get('a', asNumber);
    await cache.set('d', 4, 1000);
    expect(texts.size).toBe(3);
    expect(await cache.get('b', asNumber)).toBeUndefined();
    expect(await cache.get('a', asNumber)).toBe(1);
  });

  it('an entry that its reader refuses is a miss and is deleted', async () => {
    const { cache, texts } = clockedCache(3);
    await cache.set('a', { nested: ['text', null, true] }, 1000);
    expect(await cache.get('a', asNumber)).toBeUndefined();
    expect(texts.size).toBe(0);
  });

  it('a deleted entry is gone', async () => {
    const { cache } = clockedCache(3);
    await cache.set('a', 1, 1000);
    await cache.delete('a');
    expect(await cache.get('a', asNumber)).toBeUndefined();
  });
});
