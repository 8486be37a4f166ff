import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wrapped } from './wrapped.js';

describe('a text in lines', () => {
  it('begins with its indent, and the lines after the first hang below it', () => {
    expect(wrapped('→ one two three four', 12, '  ', '    ')).toEqual([
      '  → one two',
      '    three',
      '    four',
    ]);
  });

  it('has a word alone that is longer than a line', () => {
    expect(wrapped('a 0123456789 b', 8)).toEqual(['a', '0123456789', 'b']);
  });

  it('loses no word, and no line of several words is longer than the columns', () => {
    const word = fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom('a', 'b', '…') });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), fc.integer({ min: 4, max: 30 }), (words, columns) => {
        const lines = wrapped(words.join(' '), columns, '- ', '  ');
        const back = lines.map((line, index) => line.slice(2 * Number(line.startsWith(index ? '  ' : '- '))));
        expect(back.join(' ')).toBe(words.join(' '));
        for (const line of lines.filter((one) => one.slice(2).includes(' ')))
          expect(line.length).toBeLessThanOrEqual(columns);
      }),
    );
  });
});
