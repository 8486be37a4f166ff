import { describe, expect, it } from 'vitest';
import type { BotEvent } from '../domain/events/events.js';
import { LINES_PER_EVENT, LINES_PER_REASON, LineLimit } from './line-limit.js';

const MINUTE = 60_000;
const failed = (message: string): BotEvent => ({
  event: 'pass-failed',
  block: 1,
  consequence: 'retry',
  message,
});
const skipped = (borrower: string, reason: 'halted' | 'in-flight' = 'halted'): BotEvent => ({
  event: 'position-skipped',
  protocol: 'aave',
  borrower,
  block: 1,
  healthFactorWad: undefined,
  reason,
  explanation: '',
  detail: {},
});

/** How many of some events are written. */
function written(limit: LineLimit, events: readonly BotEvent[], nowMs = 0): number {
  return events.filter((event) => limit.admit(event, nowMs)).length;
}

describe('F55 a flood of events is a bounded number of lines', () => {
  it('the same failure each second: the first ones of a minute, then one line with the rest', () => {
    const limit = new LineLimit();
    const flood = Array.from({ length: 500 }, (_, n) =>
      failed(`block ${n} of 0x${n.toString(16)} timed out`),
    );
    expect(written(limit, flood)).toBe(LINES_PER_REASON);
    expect(limit.endMinute(MINUTE - 1)).toEqual([]);
    expect(limit.endMinute(MINUTE)).toEqual([
      { of: 'pass-failed', reason: 'retry block … of … timed out', lines: 500 - LINES_PER_REASON },
    ]);
  });

  it('the next minute has its own lines, and nothing is said when nothing was left out', () => {
    const limit = new LineLimit();
    written(
      limit,
      Array.from({ length: 100 }, () => failed('x')),
    );
    limit.endMinute(MINUTE);
    expect(written(limit, [failed('x')], MINUTE + 1)).toBe(1);
    expect(limit.endMinute(3 * MINUTE)).toEqual([]);
    expect(limit.endMinute(4 * MINUTE)).toEqual([]);
  });

  it('one reason does not use up the lines of another reason, or of another event', () => {
    const limit = new LineLimit();
    expect(
      written(
        limit,
        Array.from({ length: 5_000 }, (_, n) => skipped(`0x${n}`)),
      ),
    ).toBe(LINES_PER_REASON);
    expect(written(limit, [skipped('0x1', 'in-flight'), failed('x')])).toBe(2);
  });

  it('a different text each time is bounded too, in lines and in memory', () => {
    const limit = new LineLimit();
    const text = (n: number): string =>
      String.fromCharCode(97 + (n % 26), 97 + ((n / 26) % 26), 97 + n / 676);
    expect(
      written(
        limit,
        Array.from({ length: 10_000 }, (_, n) => failed(text(n))),
      ),
    ).toBe(LINES_PER_EVENT);
    const [left, ...more] = limit.end();
    expect(left).toEqual({ of: 'pass-failed', reason: undefined, lines: 10_000 - LINES_PER_EVENT });
    expect(more).toEqual([]);
  });

  it('what the bot did is never left out', () => {
    const limit = new LineLimit();
    const change: BotEvent = {
      event: 'safety-changed',
      from: 'NORMAL',
      to: 'HALTED',
      reason: 'x',
      actor: 'ops',
      cause: 'operator',
      numbers: {},
    };
    expect(
      written(
        limit,
        Array.from({ length: 1_000 }, () => change),
      ),
    ).toBe(1_000);
    expect(limit.end()).toEqual([]);
  });
});
