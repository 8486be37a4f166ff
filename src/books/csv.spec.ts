import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvLine } from './csv.js';

describe('a line of CSV', () => {
  it('quotes a comma, a quote and a line end', () => {
    expect(csvLine(['a,b', 'say "hi"', 'two\r\nlines', 'plain', null, 7])).toBe(
      '"a,b","say ""hi""","two\r\nlines",plain,,7',
    );
  });

  it.each(['=1+1', '+49', '-cmd|calc', '@SUM(A1)', '\t=1', '\r=1', '=HYPERLINK("http://x","y")'])(
    'A14: %j is a text, not a formula',
    (text) => {
      expect(csvLine([text]).replace(/^"/, '')).toMatch(/^'/);
    },
  );

  it('keeps negative numbers as numbers', () => {
    expect(csvLine(['-0.25', '12', '-1'])).toBe('-0.25,12,-1');
  });

  it('never begins a cell with the sign of a formula, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const cell = csvLine([text]).replace(/^"/, '');
        return /^-?\d+(\.\d+)?$/.test(text) || !/^[=+\-@\t\r]/.test(cell);
      }),
      { seed: 14 },
    );
  });
});
