import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toAddress } from '../../domain/hex.js';
import type { CompoundAccount } from './market.js';
import { PositionTable } from './position-table.js';
import { decodeAccount, encodeAccount } from './stored-account.js';

const address = toAddress(`0x${'b0'.repeat(20)}`);
const amount = fc.bigInt({ min: 0n, max: 2n ** 127n });
const account: fc.Arbitrary<CompoundAccount> = fc
  .uniqueArray(
    fc.record({
      mTokenId: fc.integer({ min: 0, max: 200 }),
      entered: fc.boolean(),
      tokens: amount,
      principal: amount,
      interestIndex: fc.bigInt({ min: 10n ** 18n, max: 2n ** 127n }),
    }),
    { selector: ({ mTokenId }) => mTokenId, minLength: 1, maxLength: 8 },
  )
  .map((legs) => ({
    address,
    legs: legs
      .filter(({ entered, tokens, principal }) => entered || tokens > 0n || principal > 0n)
      .map((leg) => (leg.principal === 0n ? { ...leg, interestIndex: 0n } : leg))
      .sort((a, b) => a.mTokenId - b.mTokenId),
  }))
  .filter(({ legs }) => legs.length > 0);

describe('a stored account', () => {
  it('is the same to the unit after it was stored and read back', () => {
    fc.assert(
      fc.property(account, (one) => {
        expect(decodeAccount(address, encodeAccount(one))).toEqual(one);
      }),
    );
  });

  it('is the same to the unit in the table', () => {
    fc.assert(
      fc.property(account, (one) => {
        const table = new PositionTable();
        table.set(one);
        expect(table.get(address)).toEqual(one);
      }),
    );
  });

  it.each([
    ['no text', 17],
    ['a number too few', '0 1 5 6'],
    ['another flag', '0 2 5 6 7'],
    ['a market twice', '0 1 5 6 7 0 1 5 6 7'],
    ['a debt without an index', '0 1 5 6 0'],
    ['a negative amount', '0 1 -5 6 7'],
  ])('is read from the chain when it has %s', (_, stored) => {
    expect(decodeAccount(address, stored)).toBeUndefined();
  });
});
