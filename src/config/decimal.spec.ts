import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatUnits } from '../domain/money.js';
import { parseDecimal } from './decimal.js';

describe('parseDecimal', () => {
  it('reads back every amount that formatUnits writes, at every number of decimals', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 78n), max: 10n ** 78n }),
        fc.nat({ max: 30 }),
        (amount, decimals) => {
          expect(parseDecimal(formatUnits(amount, decimals), decimals)).toBe(amount);
        },
      ),
    );
  });

  it('is exact where floats are not', () => {
    expect(parseDecimal('0.1', 18)).toBe(100_000_000_000_000_000n);
    expect(parseDecimal('1.005', 8)).toBe(100_500_000n);
    expect(parseDecimal('9007199254740993.00000001', 8)).toBe(900_719_925_474_099_300_000_001n);
  });

  it('rounds nothing: digits beyond the unit are refused unless they are zeros', () => {
    expect(parseDecimal('0.000000001', 8)).toBeUndefined();
    expect(parseDecimal('0.000000010', 8)).toBe(1n);
  });

  it('refuses what is not a plain decimal', () => {
    for (const text of ['', ' 1', '1e3', '.5', '5.', '+5', '0x10', '1_000', '1,5', 'NaN', 'Infinity', '--1'])
      expect(parseDecimal(text, 8), text).toBeUndefined();
  });
});
