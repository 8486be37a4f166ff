import { expect, it } from 'vitest';
import { KeptPrice } from './kept-price.js';

const ROUND = { answer: 2_500n, updatedAt: 1_700_000_000 };

it('F15 a price of a branch that is gone is not kept, one of an earlier block is', () => {
  const kept = new KeptPrice();
  kept.confirm(ROUND);
  kept.applied();
  kept.takenBack();
  expect(kept.round).toBe(ROUND);
  kept.takenBack();
  expect(kept.round).toBeUndefined();
  kept.applied();
  kept.confirm(ROUND);
  expect(kept.isGood({ ...ROUND })).toBe(true);
  expect(kept.isGood({ ...ROUND, updatedAt: ROUND.updatedAt + 1 })).toBe(false);
});
