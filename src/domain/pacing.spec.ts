import { describe, expect, it } from 'vitest';
import type { Outcome } from './outcome.js';
import { pacingAfter, rested, startPacing, type Pacing } from './pacing.js';

const MOST = 16;
const MINUTE_MS = 60_000;

/** Plays outcomes, each in a block of its own unless it names one, all at one instant. */
function after(start: Pacing, ...outcomes: readonly (Outcome | readonly [Outcome, string])[]): Pacing {
  return outcomes.reduce((pacing, one, index) => {
    const [outcome, block] = typeof one === 'string' ? [one, `${index}`] : one;
    return pacingAfter(pacing, outcome, block, MOST, 0);
  }, start);
}

const pace = ({ maxInFlight, bidShareBps }: Pacing): [number, number] => [maxInFlight, bidShareBps];
const many = (outcome: Outcome, count: number): Outcome[] => Array.from({ length: count }, () => outcome);

describe('F49 the pacing rule', () => {
  const start = startPacing(MOST, 0);

  it('starts with 4 in flight and the full bid, or with the most that is configured', () => {
    expect(pace(start)).toEqual([4, 10_000]);
    expect(pace(startPacing(2, 0))).toEqual([2, 10_000]);
  });

  it.each(['lost', 'stale', 'malfunction'] as const)(
    'a %s block halves the number and bids less',
    (outcome) => {
      expect(pace(after(start, outcome))).toEqual([2, 7_500]);
      expect(pace(after(start, outcome, outcome))).toEqual([1, 5_625]);
    },
  );

  it('a block counts once, however many were lost in it', () => {
    expect(pace(after(start, ['lost', 'a'], ['stale', 'a'], ['lost', 'a']))).toEqual([2, 7_500]);
    expect(pace(after(start, ['lost', 'a'], ['lost', 'b']))).toEqual([1, 5_625]);
  });

  it('never falls below one in flight and a quarter of the bid', () => {
    expect(pace(after(start, ...many('lost', 20)))).toEqual([1, 2_500]);
  });

  it('each win adds one, up to the most that is configured, and a quarter of the full bid', () => {
    const low = after(start, ...many('lost', 20));
    expect(pace(after(low, 'won'))).toEqual([2, 5_000]);
    expect(pace(after(low, ...many('won', 100)))).toEqual([MOST, 10_000]);
  });

  it('what was refused changes nothing', () => {
    expect(pace(after(start, 'refused', 'refused'))).toEqual([4, 10_000]);
  });

  it('a rival who wins each second block leaves the bot at work', () => {
    const alternating = Array.from({ length: 40 }, (_, index): Outcome => (index % 2 ? 'won' : 'lost'));
    const [maxInFlight, bidShareBps] = pace(after(start, ...alternating));
    expect(maxInFlight).toBeGreaterThanOrEqual(1);
    expect(bidShareBps).toBeGreaterThanOrEqual(5_000);
  });

  it('quiet minutes bring it back to where it started, and no further', () => {
    const low = after(start, ...many('lost', 20));
    expect(pace(rested(low, MOST, MINUTE_MS - 1))).toEqual([1, 2_500]);
    expect(pace(rested(low, MOST, MINUTE_MS))).toEqual([2, 5_000]);
    expect(pace(rested(rested(low, MOST, MINUTE_MS), MOST, 2 * MINUTE_MS))).toEqual([3, 7_500]);
    expect(pace(rested(low, MOST, 3 * MINUTE_MS))).toEqual([4, 10_000]);
    expect(pace(rested(low, MOST, 1_000 * MINUTE_MS))).toEqual([4, 10_000]);
    expect(pace(rested(low, 2, 1_000 * MINUTE_MS))).toEqual([2, 10_000]);
  });

  it('quiet minutes take nothing away from what was won', () => {
    const high = after(start, ...many('won', 8));
    expect(pace(rested(high, MOST, 10 * MINUTE_MS))).toEqual([12, 10_000]);
  });

  it('a loss begins the quiet time anew', () => {
    const low = pacingAfter(after(start, ...many('lost', 20)), 'lost', 'later', MOST, MINUTE_MS - 1);
    expect(pace(rested(low, MOST, MINUTE_MS))).toEqual([1, 2_500]);
  });
});
