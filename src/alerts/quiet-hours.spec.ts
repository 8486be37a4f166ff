import { describe, expect, it } from 'vitest';
import { endOfQuiet } from './quiet-hours.js';

const at = (text: string): number => Date.parse(text);
const endOf = (now: string, fromMinute: number, toMinute: number, timeZone = 'UTC'): string | undefined => {
  const end = endOfQuiet(at(now), { fromMinute, toMinute, timeZone });
  return end === undefined ? undefined : new Date(end).toISOString();
};
const NIGHT = [22 * 60, 7 * 60] as const;

describe('quiet hours', () => {
  it('begin and end to the minute, over midnight', () => {
    expect(endOf('2026-01-05T21:59:59.999Z', ...NIGHT)).toBeUndefined();
    expect(endOf('2026-01-05T22:00:00Z', ...NIGHT)).toBe('2026-01-06T07:00:00.000Z');
    expect(endOf('2026-01-06T00:00:00Z', ...NIGHT)).toBe('2026-01-06T07:00:00.000Z');
    expect(endOf('2026-01-06T06:59:59Z', ...NIGHT)).toBe('2026-01-06T07:00:00.000Z');
    expect(endOf('2026-01-06T07:00:00Z', ...NIGHT)).toBeUndefined();
  });

  it('within one day', () => {
    expect(endOf('2026-01-05T12:10:30Z', 12 * 60, 13 * 60)).toBe('2026-01-05T13:00:00.000Z');
    expect(endOf('2026-01-05T13:00:00Z', 12 * 60, 13 * 60)).toBeUndefined();
  });

  it('are of their time zone, also in the nights in which the clocks change', () => {
    expect(endOf('2026-01-05T21:30:00Z', ...NIGHT, 'Europe/Berlin')).toBe('2026-01-06T06:00:00.000Z');
    expect(endOf('2026-07-05T20:30:00Z', ...NIGHT, 'Europe/Berlin')).toBe('2026-07-06T05:00:00.000Z');
    // 29 March 2026: 02:00 becomes 03:00. 25 October 2026: 03:00 becomes 02:00.
    expect(endOf('2026-03-28T22:00:00Z', ...NIGHT, 'Europe/Berlin')).toBe('2026-03-29T05:00:00.000Z');
    expect(endOf('2026-10-24T21:00:00Z', ...NIGHT, 'Europe/Berlin')).toBe('2026-10-25T06:00:00.000Z');
    expect(endOf('2026-01-05T18:00:00Z', ...NIGHT, 'Asia/Kathmandu')).toBe('2026-01-06T01:15:00.000Z');
  });

  it('are none without a time', () => {
    expect(endOfQuiet(0, undefined)).toBeUndefined();
    expect(endOf('2026-01-05T12:00:00Z', 720, 720)).toBeUndefined();
  });
});
