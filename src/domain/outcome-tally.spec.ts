import { describe, expect, it } from 'vitest';
import { counted, NO_OUTCOMES, summaryOf, type Counted } from './outcome-tally.js';

const won: Counted = { outcome: 'won', feesWei: 100n, profitUsd8: 9n };
const lost: Counted = { outcome: 'lost', feesWei: 20n, profitUsd8: -2n };
const stale: Counted = { outcome: 'stale', feesWei: 3n, profitUsd8: -1n };
const refused: Counted = { outcome: 'refused', feesWei: 0n, profitUsd8: 0n };

describe('F49 the tally of outcomes', () => {
  it('gives the win rate of the races alone, rounded down, and what all losses cost', () => {
    const totals = [won, lost, lost, stale, refused].reduce((sum, one) => counted(sum, one), NO_OUTCOMES);
    expect(summaryOf(totals)).toEqual({
      counts: { won: 1, lost: 2, stale: 1, refused: 1, malfunction: 0 },
      winRateBps: 3_333,
      lossesWei: 43n,
      lossesUsd8: 5n,
    });
  });

  it('has no win rate before the first race', () => {
    expect(summaryOf(counted(NO_OUTCOMES, stale)).winRateBps).toBeUndefined();
  });

  it('takes back what it counted', () => {
    expect(counted(counted(NO_OUTCOMES, lost), lost, -1)).toEqual(NO_OUTCOMES);
  });
});
