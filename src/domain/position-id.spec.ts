import { describe, expect, it } from 'vitest';
import { addressOf } from '../../testing/builders/opportunities.js';
import { positionIdOf, positionKey } from './position-id.js';

const market = addressOf('aa');
const borrower = addressOf('b0');
const [first, second] = [`0x${'01'.repeat(32)}`, `0x${'02'.repeat(32)}`] as const;

describe('the identity of a position', () => {
  it('tells two markets of one contract apart, and one of them from the contract', () => {
    const keys = [
      positionKey({ market, borrower }),
      positionKey({ market, marketId: first, borrower }),
      positionKey({ market, marketId: second, borrower }),
    ];
    expect(new Set(keys).size).toBe(3);
  });

  it('has no market of the contract where the position has none', () => {
    const position = { market, borrower, protocol: 'aave' };
    expect(Object.keys(positionIdOf(position))).toEqual(['market', 'borrower']);
    expect(positionIdOf({ ...position, marketId: first })).toEqual({ market, marketId: first, borrower });
  });
});
