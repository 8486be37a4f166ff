import { describe, expect, it } from 'vitest';
import { TestClock } from '../../testing/fakes/test-clock.js';
import type { PositionId } from '../domain/position-id.js';
import { RowFilter } from './row-filter.js';

const market = `0x${'aa'.repeat(20)}` as const;
const A: PositionId = { market, borrower: `0x${'a0'.repeat(20)}` };
const B: PositionId = { market, borrower: `0x${'b0'.repeat(20)}` };
const BLOCK_MS = 2_000;

describe('F55 a position that stays refused has one row', () => {
  it('for a reason, whatever comes in between, as long as it comes again within a minute', () => {
    const clock = new TestClock();
    const rows = new RowFilter(clock);
    const news: string[] = [];
    for (let block = 0; block < 1_000; block++) {
      rows.startPass();
      const reason = block % 3 === 0 ? 'profit-below-floor' : 'simulation-reverted';
      if (block % 7 !== 0 && rows.isNew(A, reason)) news.push(`A ${reason}`);
      if (rows.isNew(B, 'halted')) news.push('B halted');
      clock.advance(BLOCK_MS);
    }
    expect(news.sort()).toEqual(['A profit-below-floor', 'A simulation-reverted', 'B halted']);
  });

  it('and another one when it is refused again after a minute', () => {
    const clock = new TestClock();
    const rows = new RowFilter(clock);
    expect(rows.isNew(A, 'halted')).toBe(true);
    clock.advance(59_999);
    rows.startPass();
    expect(rows.isNew(A, 'halted')).toBe(false);
    clock.advance(60_000);
    rows.startPass();
    expect(rows.isNew(A, 'halted')).toBe(true);
  });

  it('beside that of another position of the same borrower, in another market of the contract', () => {
    const rows = new RowFilter(new TestClock());
    const inMarket = (byte: string): PositionId => ({ ...A, marketId: `0x${byte.repeat(32)}` });
    expect(rows.isNew(inMarket('01'), 'halted')).toBe(true);
    expect(rows.isNew(inMarket('02'), 'halted')).toBe(true);
    expect(rows.isNew(inMarket('02'), 'halted')).toBe(false);
  });
});
