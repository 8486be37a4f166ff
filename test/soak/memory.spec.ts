import { describe, expect, it } from 'vitest';
import type { MemorySample } from './fleet.js';
import { memoryOf } from './memory.js';

const MB = 2 ** 20;

/** A sample each second. */
function samples(seconds: number, megabytes: (second: number) => number, pid = 1): MemorySample[] {
  return Array.from({ length: seconds }, (_, second) => ({
    pid,
    atMs: second * 1_000,
    bytes: megabytes(second) * MB,
  }));
}

describe('the growth of memory', () => {
  it('is told by medians after the warm-up and at the end: neither the warm-up nor a peak counts', () => {
    const level = samples(1_000, (second) => (second < 150 ? 50 + second : second % 50 === 0 ? 900 : 200));
    expect(memoryOf(level)).toMatchObject({ warmBytes: 200 * MB, lastBytes: 200 * MB, growthBps: 0 });
  });

  it('is seen when it is slow and steady', () => {
    const leak = memoryOf(samples(1_000, (second) => 200 + second / 20));
    expect(leak?.growthBps).toBeGreaterThan(500);
  });

  it('is of the last process alone, and of none that ran too short', () => {
    const before = samples(1_000, (second) => 100 + second, 1);
    const after = samples(1_000, () => 150, 2).map((sample) => ({ ...sample, atMs: sample.atMs + 1e6 }));
    expect(memoryOf([...before, ...after])).toMatchObject({ growthBps: 0, warmBytes: 150 * MB });
    expect(memoryOf(samples(200, () => 150))).toBeUndefined();
    expect(memoryOf([])).toBeUndefined();
  });
});
