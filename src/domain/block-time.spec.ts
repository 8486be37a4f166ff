import { describe, expect, it } from 'vitest';
import { BlockTime } from './block-time.js';
import { windowBlocks } from './chain-description.js';

/** Heads of a chain that makes a block each so many milliseconds, with times in whole seconds. */
function follow(time: BlockTime, blockMs: number, seconds: number, from = { number: 100, atMs: 0 }): void {
  const blocks = Math.floor((seconds * 1_000) / blockMs);
  for (let index = 0; index <= blocks; index += 1)
    time.saw({
      number: from.number + index,
      timestamp: 1_800_000_000 + Math.floor((from.atMs + index * blockMs) / 1_000),
    });
}

describe('the block time of a chain', () => {
  it('is the described one until three spans of sixteen seconds are seen', () => {
    const time = new BlockTime({ blockTimeMs: 2_000 });
    follow(time, 250, 47);
    expect(time).toMatchObject({ blockTimeMs: 2_000, isMeasured: false });
    follow(time, 250, 16, { number: 288, atMs: 47_000 });
    expect(time.isMeasured).toBe(true);
    expect(time.blockTimeMs).toBeGreaterThan(235);
    expect(time.blockTimeMs).toBeLessThan(266);
  });

  it.each([200, 250, 2_000, 12_000])('blocks of %i ms are measured to a sixteenth', (blockMs) => {
    const time = new BlockTime({ blockTimeMs: 1_000 });
    follow(time, blockMs, 400);
    expect(Math.abs(time.blockTimeMs / blockMs - 1)).toBeLessThan(1 / 16);
  });

  it('a chain that stands still for minutes, and heads that were missed, change nothing', () => {
    const time = new BlockTime({ blockTimeMs: 2_000 });
    follow(time, 2_000, 100);
    follow(time, 2_000, 100, { number: 151, atMs: 500_000 });
    time.saw({ number: 1_202, timestamp: 1_800_002_702 });
    expect(time.blockTimeMs).toBe(2_000);
  });

  it('another branch, or a head from the past, begins a new span', () => {
    const time = new BlockTime({ blockTimeMs: 2_000 });
    follow(time, 2_000, 100);
    time.saw({ number: 10, timestamp: 1_700_000_000 });
    follow(time, 2_000, 100, { number: 151, atMs: 102_000 });
    expect(time.blockTimeMs).toBe(2_000);
  });

  it('windows in seconds follow it', () => {
    const time = new BlockTime({ blockTimeMs: 2_000 });
    expect(windowBlocks('reorg', time)).toBe(128);
    follow(time, 1_000, 200);
    expect(windowBlocks('reorg', time)).toBe(256);
  });

  it.each([
    [2_000, 2],
    [12_000, 12],
    [1_000, 1],
  ])(
    'of %i ms: the next block comes %i s later, also when the measured time is a little off',
    (blockMs, seconds) => {
      const time = new BlockTime({ blockTimeMs: blockMs * 1.03 });
      expect(time.earliestAfter({ number: 7, timestamp: 1_000 })).toBe(1_000 + seconds);
    },
  );

  it.each([200, 250])(
    'of %i ms: the next block has the next time after as many blocks as fit into a second',
    (blockMs) => {
      const time = new BlockTime({ blockTimeMs: 2_000 });
      follow(time, blockMs, 64, { number: 0, atMs: -100_000 });
      for (let index = 0; index < 40; index += 1) {
        const timestamp = 1_000 + Math.floor((index * blockMs) / 1_000);
        const next = 1_000 + Math.floor(((index + 1) * blockMs) / 1_000);
        time.saw({ number: 100 + index, timestamp });
        expect(time.earliestAfter({ number: 100 + index, timestamp })).toBe(next);
      }
    },
  );

  it('the next block has the same time as this one where blocks of a second were missed: it is no promise', () => {
    const time = new BlockTime({ blockTimeMs: 200 });
    time.saw({ number: 100, timestamp: 1_000 });
    time.saw({ number: 108, timestamp: 1_001 });
    expect(time.earliestAfter({ number: 108, timestamp: 1_001 })).toBe(1_001);
  });

  it('no block is expected later than blocks came, while the described time is not measured', () => {
    const time = new BlockTime({ blockTimeMs: 2_000 });
    time.saw({ number: 100, timestamp: 1_000 });
    expect(time.earliestAfter({ number: 100, timestamp: 1_000 })).toBe(1_002);
    time.saw({ number: 101, timestamp: 1_001 });
    expect(time.earliestAfter({ number: 101, timestamp: 1_001 })).toBe(1_002);
    time.saw({ number: 102, timestamp: 1_001 });
    expect(time.earliestAfter({ number: 102, timestamp: 1_001 })).toBe(1_001);
  });
});
