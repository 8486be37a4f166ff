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

  it('is of the process that ran longest, and of none that ran too short', () => {
    const later = (by: number, pid: number, seconds: number, megabytes: number): MemorySample[] =>
      samples(seconds, () => megabytes, pid).map((sample) => ({ ...sample, atMs: sample.atMs + by }));
    const processes = [...later(0, 1, 300, 100), ...later(1e6, 2, 1_000, 150), ...later(3e6, 3, 60, 400)];
    expect(memoryOf(processes)).toMatchObject({ growthBps: 0, warmBytes: 150 * MB });
    expect(memoryOf(samples(200, () => 150))).toBeUndefined();
    expect(memoryOf([])).toBeUndefined();
  });
});
