import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOf } from '../../../testing/builders/aave-market.js';
import type { Hash } from '../../domain/hex.js';
import { decodeAccount, encodeAccount } from './stored-account.js';
import type { BlueAccount } from './market.js';

const address = addressOf(0xb0);
const idOf = (number: number): Hash => `0x${number.toString(16).padStart(64, '0')}`;
const account: fc.Arbitrary<BlueAccount> = fc
  .uniqueArray(
    fc.record({
      marketId: fc.integer({ min: 0, max: 2 ** 31 }).map(idOf),
      collateral: fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }),
      borrowShares: fc.bigInt({ min: 1n, max: 2n ** 128n - 1n }),
    }),
    { selector: ({ marketId }) => marketId, minLength: 1, maxLength: 6 },
  )
  .map((legs) => ({ address, legs: legs.sort((a, b) => (a.marketId < b.marketId ? -1 : 1)) }));

describe('a stored account of Morpho Blue', () => {
  it('is read back to the unit, in every market', () => {
    fc.assert(
      fc.property(account, (one) => {
        expect(decodeAccount(address, encodeAccount(one))).toEqual(one);
      }),
    );
  });

  const [one, two] = [idOf(1).slice(2), idOf(2).slice(2)];
  it.each([
    ['nothing', undefined],
    ['an empty text', ''],
    ['a number', 7],
    ['a market without amounts', one],
    ['a market in capitals', `${'AB'.repeat(32)} 1 1`],
    ['no debt', `${one} 1 0`],
    ['a number with a sign', `${one} -1 1`],
    ['a number with a zero before it', `${one} 01 1`],
    ['more than 128 bits', `${one} ${2n ** 128n} 1`],
    ['more than 128 bits of shares', `${one} 1 ${2n ** 128n}`],
    ['the same market twice', `${one} 1 1 ${one} 1 1`],
    ['markets in another order', `${two} 1 1 ${one} 1 1`],
    ['something after the end', `${one} 1 1 `],
  ])('%s is not believed: the position is read from the chain', (_name, stored) => {
    expect(decodeAccount(address, stored)).toBeUndefined();
  });
});
