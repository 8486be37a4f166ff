import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Address } from '../../domain/hex.js';
import type { AaveAccount } from './market.js';
import { decodeAccount, encodeAccount } from './stored-account.js';

const ADDRESS: Address = `0x${'a5'.repeat(20)}`;
/** Aave keeps a scaled balance in 120 bits. */
const MOST = 2n ** 120n;

const amounts = fc.oneof(
  fc.bigInt({ min: 0n, max: MOST }),
  fc.constantFrom(0n, 1n, MOST, MOST - 1n, 2n ** 53n + 1n),
);
const accounts: fc.Arbitrary<AaveAccount> = fc.record({
  address: fc.constant(ADDRESS),
  eMode: fc.integer({ min: 0, max: 255 }),
  legs: fc.uniqueArray(
    fc.record({
      reserveId: fc.integer({ min: 0, max: 127 }),
      scaledSupply: amounts,
      usedAsCollateral: fc.boolean(),
      scaledDebt: amounts,
    }),
    { selector: ({ reserveId }) => reserveId, maxLength: 128 },
  ),
});

/** As the database and the cache hand it back. */
const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('a stored account', () => {
  it('is read back exact to the unit, for any amounts, flags and e-mode', () => {
    fc.assert(
      fc.property(accounts, (account) => {
        expect(decodeAccount(ADDRESS, throughJson(encodeAccount(account)))).toEqual(account);
      }),
    );
  });

  it('in any other form is not decoded', () => {
    expect(decodeAccount(ADDRESS, '1 0 5 1 0 3 0 0 7')).toBeDefined();
    const others: unknown[] = [
      null,
      7,
      [],
      { e: 1, l: [] },
      '',
      'x',
      '-1',
      '256',
      '0.5',
      '0 ',
      ' 0',
      '0\n',
      '0 0 5 1',
      '0 0 5 1 0 0',
      '0  0 5 1 0',
      '0 128 5 1 0',
      '0 0 5 2 0',
      '0 0 5 true 0',
      '0 0  1 0',
      '0 0 -5 1 0',
      '0 0 5.0 1 0',
      '0 0 5e3 1 0',
      '0 0 0x5 1 0',
      '0 0 05 1 0',
      '0 0 5 1 null',
      '0 0 5 1 0 0 0 0 7',
    ];
    for (const other of others) expect(decodeAccount(ADDRESS, other), JSON.stringify(other)).toBeUndefined();
  });
});
