import { describe, expect, it } from 'vitest';
import { pairOf } from '../../testing/builders/opportunities.js';
import { gasBeforeSimulation, gasOfFirst, gasOfFurther } from './step-gas.js';

describe('the gas of a liquidation before its simulation tells', () => {
  it('on Aave is what bench:gas measured, with room for a second debt and more pools where nothing is known', () => {
    const pair = pairOf();
    expect(gasBeforeSimulation(pair)).toBe(700_000n);
    expect(gasOfFirst(pair)).toBe(400_000n);
    expect(gasOfFurther(pair)).toBe(250_000n);
  });
});
