import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { AdaptiveSize } from './adaptive-size.js';

/** Asks for `total` in pieces, of an endpoint that serves at most `limit` at once. */
function askFor(
  size: AdaptiveSize,
  total: number,
  limit: number,
  says = false,
): { asked: number; refused: number } {
  let asked = 0;
  let refused = 0;
  for (let left = total; left > 0;) {
    const piece = size.next(left);
    asked++;
    if (piece > limit) {
      refused++;
      size.refused(piece, says ? limit : undefined);
    } else {
      size.served(piece);
      left -= piece;
    }
  }
  return { asked, refused };
}

const blocks = (): AdaptiveSize => new AdaptiveSize({ first: 10_000, largest: 200_000, patience: 8 });

describe('the size that an endpoint serves', () => {
  it('F46 40 million blocks at a limit of 500 cost a handful of refusals', () => {
    const { asked, refused } = askFor(blocks(), 40_000_000, 500);
    expect(refused).toBeLessThan(40);
    expect(asked).toBeLessThan((40_000_000 / 500) * 1.1);
  });

  it('F46 a refusal that names the limit is believed at once', () => {
    const size = blocks();
    askFor(size, 20_000, 500, true);
    expect(size.size).toBe(500);
  });

  it('F46 it grows to the largest where nothing is refused, and again when a limit is gone', () => {
    const size = blocks();
    askFor(size, 3_000_000, Infinity);
    expect(size.size).toBe(200_000);
    askFor(size, 100_000, 500);
    expect(size.size).toBeLessThanOrEqual(500);
    askFor(size, 40_000_000, Infinity);
    expect(size.size).toBe(200_000);
  });

  it('F46 any limit of at least one is found, by no more refusals than halving takes and a few more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300_000 }), fc.boolean(), (limit, says) => {
        const size = blocks();
        const { refused } = askFor(size, limit * 100, limit, says);
        expect(size.size).toBeLessThanOrEqual(limit);
        expect(refused).toBeLessThanOrEqual(24);
      }),
    );
  });

  it('pieces that were under way when the size fell do not make it fall again', () => {
    const size = blocks();
    for (let i = 0; i < 4; i++) size.refused(10_000);
    expect(size.size).toBe(5_000);
  });
});
