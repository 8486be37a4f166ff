import { describe, expect, it } from 'vitest';
import { duePeriods } from './period.js';

const due = (now: string, hour = 0): string[] =>
  duePeriods(Date.parse(now), hour).map(
    ({ kind, day, from, to }) =>
      `${kind} ${day}: ${from.toISOString().slice(0, 13)} to ${to.toISOString().slice(0, 13)}`,
  );

describe('the periods whose reports are due', () => {
  it('are the day before, and the week before from Monday', () => {
    // 5 January 2026 is a Monday.
    expect(due('2026-01-05T00:00:00Z')).toEqual([
      'day 2026-01-04: 2026-01-04T00 to 2026-01-05T00',
      'week 2025-12-29: 2025-12-29T00 to 2026-01-05T00',
    ]);
    expect(due('2026-01-04T23:59:59Z')).toEqual([
      'day 2026-01-03: 2026-01-03T00 to 2026-01-04T00',
      'week 2025-12-22: 2025-12-22T00 to 2025-12-29T00',
    ]);
  });

  it('are due from the hour of the reports on', () => {
    expect(due('2026-01-05T05:59:59Z', 6)[0]).toContain('day 2026-01-03');
    expect(due('2026-01-05T06:00:00Z', 6)[0]).toContain('day 2026-01-04');
  });
});
