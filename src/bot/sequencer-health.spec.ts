import { describe, expect, it } from 'vitest';
import { chainDescription } from '../domain/chain-description.js';
import type { Hash } from '../domain/hex.js';
import { SequencerHealth } from './sequencer-health.js';
import { faultBegins } from '../../testing/fault-times.js';

const LIMITS = { maxTimestampJumpSeconds: 20, maxHeadAgeSeconds: 15, haltHeadAgeSeconds: 60 };
/** Seconds since the epoch. */
const T = 1_700_000_000;

const hash = (number: number, fork = 0): Hash => `0x${number}-${fork}`;
const block = (
  number: number,
  timestamp: number,
  fork = 0,
  parentFork = fork,
): Parameters<SequencerHealth['head']>[0] => ({
  number,
  hash: hash(number, fork),
  parentHash: hash(number - 1, parentFork),
  timestamp,
});

/** Base: a block every 200 ms. */
const fresh = (): SequencerHealth => new SequencerHealth(LIMITS, chainDescription(8453));

/** A SequencerHealth that has taken these blocks, each at its own time. */
function after(...blocks: readonly (readonly [number: number, timestamp: number])[]): SequencerHealth {
  const health = fresh();
  for (const [number, timestamp] of blocks)
    expect(health.head(block(number, timestamp), timestamp * 1000)).toBeUndefined();
  return health;
}

describe('a head far ahead of all others', () => {
  it('is not taken as the newest block: the heads that follow are fresh', () => {
    const health = fresh();
    const at = (number: number, seconds: number): Parameters<SequencerHealth['head']>[0] => ({
      number,
      hash: `0x${String(number).padStart(64, '0')}`,
      parentHash: `0x${String(number - 1).padStart(64, '0')}`,
      timestamp: seconds,
    });
    health.head(at(1, 1_000), 1_000_000);
    health.head(at(2 ** 40, 1_001), 1_001_000);
    for (let number = 2; number < 300; number += 1)
      health.head(at(number, 999 + number), (999 + number) * 1_000);
    expect(health.look(1_299_000)).toBeUndefined();
  });
});

describe('a head compared with the head before it', () => {
  it('reports nothing about the first head', () => {
    expect(fresh().head(block(1, T), 0)).toBeUndefined();
  });

  it('accepts blocks of 2 s, and five blocks of 200 ms that share a timestamp', () => {
    after([1, T], [2, T + 2], [3, T + 4]);
    after([1, T], [2, T], [3, T], [4, T], [5, T], [6, T + 1]);
  });

  it('F17 halts at a jump above the limit, and not at a jump of exactly the limit', () => {
    const health = after([1, T], [2, T + 20]);
    expect(health.head(block(3, T + 41), 0)).toMatchObject({
      kind: 'timestamp-jump',
      severity: 'halt',
      message:
        'the time of the chain jumped by 21 s from block 2 to block 3; at most 20 s a block was expected',
    });
    expect(health.head(block(4, T + 43), 0)).toBeUndefined();
  });

  it('F17 halts when the time goes back', () => {
    expect(after([1, T]).head(block(2, T - 1), 0)).toMatchObject({
      kind: 'timestamp-backwards',
      severity: 'halt',
      message: 'the time of the chain went back by 1 s from block 1 to block 2; it never should',
    });
  });

  it('divides a gap by its missing blocks: our own pause is no anomaly, a jump over few blocks is', () => {
    after([1, T], [12, T + 22], [1_812, T + 3_622]);
    expect(after([1, T]).head(block(3, T + 40), 0)).toBeUndefined();
    expect(after([1, T]).head(block(3, T + 41), 0)).toMatchObject({ kind: 'timestamp-jump' });
    expect(after([1, T]).head(block(3, T - 1), 0)).toMatchObject({ kind: 'timestamp-backwards' });
  });

  it('compares the block of another branch with its own parent', () => {
    const health = after([1, T], [2, T + 2], [3, T + 4]);
    expect(health.head(block(3, T + 1, 1, 0), 0)).toMatchObject({
      kind: 'timestamp-backwards',
    });
    expect(health.head(block(3, T + 3, 2, 0), 0)).toBeUndefined();
    expect(health.head(block(4, T + 24, 2), 0)).toMatchObject({ kind: 'timestamp-jump' });
  });

  it('does not compare with a block that is not on its branch', () => {
    const health = after([1, T], [2, T + 15], [3, T + 30]);
    expect(health.head(block(4, T + 2, 1), 0)).toBeUndefined();
  });

  it('takes a head once from any source, and accepts a late head', () => {
    const health = after([1, T], [2, T + 2], [4, T + 6]);
    expect(health.head(block(2, T + 2), 0)).toBeUndefined();
    expect(health.head(block(3, T + 4), 0)).toBeUndefined();
    expect(health.head(block(5, T + 27), 0)).toMatchObject({ kind: 'timestamp-jump' });
  });
});

describe('the freshness of the newest head', () => {
  it('is not checked before the first head', () => {
    expect(fresh().look(T * 1000)).toBeUndefined();
  });

  it('F08 throttles, then halts while nodes lag more and more, and recovers', () => {
    const health = fresh();
    const come = (number: number, ageMs: number): ReturnType<SequencerHealth['look']> => {
      const nowMs = (T + number * 2) * 1000 + ageMs;
      health.head(block(number, T + number * 2), nowMs);
      return health.look(nowMs);
    };
    expect(come(1, 15_000)).toBeUndefined();
    expect(come(2, 15_001)).toMatchObject({ kind: 'stale-head', severity: 'throttle' });
    expect(come(3, 60_000)).toMatchObject({ severity: 'throttle' });
    expect(come(4, 60_100)).toMatchObject({
      kind: 'stale-head',
      severity: 'halt',
      message:
        'the newest block, 4, is 60.1 s old, and nothing new has come for 0.0 s; at most 60 s was expected: ' +
        'the chain stands still, all nodes lag, or the clock of this machine is ahead',
    });
    expect(come(40, 2_000)).toBeUndefined();
  });

  it('F17 throttles, then halts while the chain makes no blocks, until the next block', () => {
    const health = after([1, T]);
    const nowMs = T * 1000;
    health.head(block(1, T), nowMs + 15_001); // the same again
    expect(health.look(nowMs + 15_001)).toMatchObject({ severity: 'throttle' });
    expect(health.look(nowMs + 60_001)).toMatchObject({ severity: 'halt' });
    health.head(block(2, T + 61), nowMs + 61_000);
    expect(health.look(nowMs + 61_000)).toBeUndefined();
  });

  it('F18 F17 detects silence also when the clock of the chain is ahead of ours', () => {
    const health = fresh();
    const nowMs = T * 1000;
    health.head(block(1, T + 3_600), nowMs);
    expect(health.look(nowMs)).toBeUndefined();
    expect(health.look(nowMs + 15_001)).toMatchObject({ severity: 'throttle' });
    expect(health.look(nowMs + 60_001)).toMatchObject({ severity: 'halt' });
  });

  it('F18 a clock that is 5 minutes ahead halts in words that name the clock, until it is right', () => {
    const health = fresh();
    const fault = faultBegins();
    const come = (number: number, aheadMs: number): ReturnType<SequencerHealth['look']> => {
      const nowMs = (T + number * 2) * 1000 + aheadMs;
      health.head(block(number, T + number * 2), nowMs);
      return health.look(nowMs);
    };
    for (const number of [1, 2, 3])
      expect(come(number, 300_000)).toMatchObject({
        severity: 'halt',
        message: expect.stringMatching(
          /is 300\.0 s old, and nothing new has come for 0\.0 s; .* the clock of this machine is ahead$/,
        ) as string,
      });
    fault.detected();
    fault.over();
    expect(come(4, 0)).toBeUndefined();
    fault.recovered();
  });

  it('does not count a pause of our own, before the question or between question and answer', () => {
    const health = after([1, T]);
    const pause = 300;
    const wokenMs = (T + pause) * 1000;
    // Asked before the pause; the answer came after it, with the block from before it.
    health.head(block(2, T + 2), wokenMs);
    expect(health.look((T + 2) * 1000)).toBeUndefined();
    // The heads in the buffer come at once, and then the answer to a new question.
    for (let number = 3; number <= 100; number++)
      expect(health.head(block(number, T + 2 * number - 2), wokenMs)).toBeUndefined();
    expect(health.head(block(151, T + pause), wokenMs)).toBeUndefined();
    expect(health.look(wokenMs)).toBeUndefined();
  });
});
