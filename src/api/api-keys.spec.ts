import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiKeys } from './api-keys.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const KEY = 'b1946ac92492d2347c6235b4d2611184';

const keys = new ApiKeys([
  { name: 'ops', role: 'operator', sha256: sha256(KEY) },
  { name: 'reader', role: 'viewer', sha256: sha256('p@ss:w0rd/with=odd~signs!') },
]);

describe('ApiKeys', () => {
  it('finds the holder of a key, whatever visible characters it has', () => {
    expect(keys.holderOf(`Bearer ${KEY}`)).toEqual({ name: 'ops', role: 'operator' });
    expect(keys.holderOf('bearer  p@ss:w0rd/with=odd~signs!')).toEqual({ name: 'reader', role: 'viewer' });
  });

  it.each([
    ['no header', undefined],
    ['an empty header', ''],
    ['the scheme alone', 'Bearer'],
    ['the scheme and spaces', 'Bearer    '],
    ['no scheme', KEY],
    ['another scheme', `Basic ${Buffer.from(`ops:${KEY}`).toString('base64')}`],
    ['a tab for the space', `Bearer\t${KEY}`],
    ['two keys', `Bearer ${KEY}, Bearer ${KEY}`],
    ['a space after the key', `Bearer ${KEY} `],
    ['quotes', `Bearer "${KEY}"`],
    ['upper case', `Bearer ${KEY.toUpperCase()}`],
    ['a prefix of the key', `Bearer ${KEY.slice(0, -1)}`],
    ['more than the key', `Bearer ${KEY}0`],
    ['the digest, which stands in the configuration', `Bearer ${sha256(KEY)}`],
    ['a name from the prototype', 'Bearer __proto__'],
    ['a letter beyond ASCII', `Bearer ${KEY}\u00e9`],
    ['a very long key', `Bearer ${KEY.repeat(1000)}`],
  ])('A04 finds no holder for %s', (_, header) => {
    expect(keys.holderOf(header)).toBeUndefined();
  });

  it('A04 never throws and finds no holder for any other text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (text) => {
        expect(keys.holderOf(text)).toBeUndefined();
        expect(keys.holderOf(`Bearer ${text}`)).toBeUndefined();
      }),
    );
  });

  it('shows neither a key nor a digest when it is printed', () => {
    expect(JSON.stringify(keys)).toBe('{}');
  });

  it('finds no holder when no key is configured', () => {
    expect(new ApiKeys([]).none).toBe(true);
    expect(new ApiKeys([]).holderOf(`Bearer ${KEY}`)).toBeUndefined();
  });
});
