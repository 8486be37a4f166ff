import { describe, expect, it } from 'vitest';
import { needsFunctions, rulesOf, SUPPORTED_VERSIONS } from './versions.js';

/** How many of the functions a pool has, in the order in which they came. */
function withFunctions(count: number): Parameters<typeof rulesOf>[1] {
  return {
    virtualBalance: count > 0,
    eModeBitmap: count > 1,
    reserveDeficit: count > 2,
    oneRateStrategy: count > 3,
  };
}

describe('the version of an Aave pool', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('is told by its functions for POOL_REVISION %i', (revision) => {
    expect(needsFunctions(revision)).toBe(true);
    const versions = [0, 1, 2, 3, 4].map((count) => rulesOf(revision, withFunctions(count))?.version);
    expect(versions).toEqual(['3.0', '3.1', '3.2', '3.3', '3.4']);
  });

  it.each([
    [9, '3.5'],
    [10, '3.6'],
    [11, '3.7'],
  ])('POOL_REVISION %i is %s', (revision, version) => {
    expect(needsFunctions(revision)).toBe(false);
    expect(rulesOf(revision)?.version).toBe(version);
  });

  it.each([0, 12, 255])('POOL_REVISION %i is not known', (revision) => {
    expect(rulesOf(revision)).toBeUndefined();
  });

  it('is not known where a function is there without an earlier one', () => {
    expect(rulesOf(3, { ...withFunctions(0)!, reserveDeficit: true })).toBeUndefined();
    expect(rulesOf(8, { ...withFunctions(4)!, eModeBitmap: false })).toBeUndefined();
  });

  it('names every version for the operator', () => {
    expect(SUPPORTED_VERSIONS).toBe('3.0, 3.1, 3.2, 3.3, 3.4, 3.5, 3.6, 3.7');
  });
});
