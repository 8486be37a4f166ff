import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FIRST_SHARE_BPS, reviewed } from './inclusion-share.js';

const after = (fromBps: number, won: number): number => reviewed(fromBps, { sent: 100, won }).toBps;

describe('share of the gross profit by inclusion', () => {
  it('begins with 15 %', () => {
    expect(FIRST_SHARE_BPS).toBe(1_500);
  });

  it.each([
    [1_500, 59, 2_000],
    [1_500, 60, 1_500],
    [1_500, 90, 1_500],
    [1_500, 91, 1_300],
    [3_700, 0, 4_000],
    [4_000, 0, 4_000],
    [100, 100, 0],
    [0, 100, 0],
  ])('%i bps, %i of 100 won: %i bps', (from, won, to) => {
    expect(after(from, won)).toBe(to);
  });

  it('says why, with the numbers', () => {
    expect(reviewed(1_500, { sent: 100, won: 42 })).toEqual({
      fromBps: 1_500,
      toBps: 2_000,
      inclusionBps: 4_200,
      reason: '42 of 100 were won, less than 60 %: the share goes up',
    });
    expect(reviewed(4_000, { sent: 100, won: 0 }).reason).toContain('at its maximum');
    expect(reviewed(0, { sent: 100, won: 100 }).reason).toContain('0 already');
  });

  it('stays from 0 to 40 %, and fewer wins never lead to a lower share', () => {
    const won = fc.integer({ min: 0, max: 100 });
    fc.assert(
      fc.property(fc.array(won, { maxLength: 50 }), won, won, (history, one, other) => {
        const share = history.reduce(after, FIRST_SHARE_BPS);
        const [fewer, more] = [Math.min(one, other), Math.max(one, other)];
        for (const next of [share, after(share, fewer), after(share, more)]) {
          expect(next).toBeGreaterThanOrEqual(0);
          expect(next).toBeLessThanOrEqual(4_000);
        }
        expect(after(share, fewer)).toBeGreaterThanOrEqual(after(share, more));
      }),
    );
  });
});
