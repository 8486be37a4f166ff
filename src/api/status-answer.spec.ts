import { describe, expect, it } from 'vitest';
import { coverageAnswer } from './status-answer.js';

describe('the coverage in the status', () => {
  const morpho = { market: 'morpho', served: 3, unserved: { 'no-debt': 2 }, faulty: [] };

  it('has the pre-liquidations of a protocol that looks for them, and of no other', () => {
    const preLiquidation = { contracts: 4, markets: 2, positions: 1, searching: true, problem: 'away' };
    expect(coverageAnswer([{ ...morpho, preLiquidation }, morpho])).toEqual([
      { ...morpho, preLiquidation },
      morpho,
    ]);
  });
});
