import { describe, expect, it } from 'vitest';
import { duration, many, percent, ratio, signedUsd, tokens, usd } from './figures.js';

describe('a figure for a person', () => {
  it.each([
    [usd(123_456_000_000n), '$1,234.56'],
    [usd(-5_999_999n), '-$0.05'],
    [signedUsd(1_234_567_890n), '+$12.34'],
    [signedUsd('-100000000'), '-$1.00'],
    [signedUsd(0n), '+$0.00'],
    [ratio('999999999999999999'), '0.9999'],
    [ratio(12n * 10n ** 17n), '1.2000'],
    [percent(1_234), '12.34 %'],
    [percent(1_000), '10 %'],
    [duration(349.6), '350 ms'],
    [duration(1_234), '1.2 s'],
    [duration(12 * 60_000), '12 min'],
    [many(1, 'block'), '1 block'],
    [many(12_345, 'block'), '12,345 blocks'],
  ])('%s', (told, expected) => {
    expect(told).toBe(expected);
  });

  it.each([
    ['1234567890', 6, '1,234.5678 USDC'],
    ['1000000', 6, '1 USDC'],
    ['1999999', 6, '1.9999 USDC'],
    ['1234', 8, '0.00001234 USDC'],
    ['123456789', 18, '0.0000000001234 USDC'],
    ['0', 18, '0 USDC'],
    ['7', 0, '7 USDC'],
  ])('cuts an amount, and never to nothing: %s with %s decimals is %s', (units, decimals, expected) => {
    expect(tokens(units, decimals, 'USDC')).toBe(expected);
  });
});
