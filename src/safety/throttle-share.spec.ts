import { describe, expect, it } from 'vitest';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { toAddress } from '../domain/hex.js';
import type { PositionId } from '../domain/position-id.js';
import { ThrottleShare } from './throttle-share.js';

const position = (n: number): PositionId => ({
  market: toAddress(`0x${'aa'.repeat(20)}`),
  borrower: toAddress(`0x${n.toString(16).padStart(40, '0')}`),
});
const leftAlone = (share: ThrottleShare, count: number): boolean[] =>
  Array.from({ length: count }, (_, n) => share.leavesAlone(position(n)));

describe('the share of positions that a throttle leaves alone', () => {
  it('a half is every other position, beginning with one that is liquidated', () => {
    expect(leftAlone(new ThrottleShare(5_000, new TestClock()), 6)).toEqual([
      ...[false, true, false, true, false, true],
    ]);
  });

  it.each([
    [0, 0],
    [2_500, 25],
    [10_000, 100],
  ])('%s of 10000 leaves %s of 100 alone', (bps, expected) => {
    const share = leftAlone(new ThrottleShare(bps, new TestClock()), 100);
    expect(share.filter(Boolean)).toHaveLength(expected);
  });

  it('a position keeps its answer for ten minutes, so that the next block does not turn it round', () => {
    const clock = new TestClock();
    const share = new ThrottleShare(5_000, clock);
    const first = leftAlone(share, 3);
    clock.advance(599_999);
    expect(leftAlone(share, 3)).toEqual(first);
    clock.advance(1);
    expect(leftAlone(share, 3)).not.toEqual(first); // the alternation goes on
  });
});
