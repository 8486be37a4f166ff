import { describe, expect, it } from 'vitest';
import { compoundAccount, compoundMarket } from '../../../testing/builders/compound.js';
import { WAD } from '../../domain/money.js';
import type { MissingDebt } from '../../state/followed.js';
import { debtsRead, debtTolerance, UNKNOWN_INDEX_UNITS } from './comparison.js';

const UNITS = 10n ** 6n;
/** USDC that one account owes. */
const DEBT = 24_000n;

describe('by how much the debts of all accounts may differ from the total of a market', () => {
  it('is a unit and what an unknown index hides, for each account', () => {
    expect(debtTolerance(0n, 5, 1_000)).toBe(5n * (1n + UNKNOWN_INDEX_UNITS));
  });

  it('is a unit more for each block of the search, but at most 1 bp of the total', () => {
    expect(debtTolerance(10n ** 12n, 0, 1_000)).toBe(1_000n);
    expect(debtTolerance(10n ** 12n, 0, 10 ** 9)).toBe(10n ** 8n);
    expect(debtTolerance(10n ** 12n, 0, -5)).toBe(0n);
  });
});

describe('the debts of a market', () => {
  const owed = DEBT * UNITS;
  const tolerance = debtTolerance(owed, 1, 100);

  it.each([
    ['equal to the total', owed],
    ['a tolerance below it', owed + tolerance],
    ['a tolerance above it', owed - tolerance],
  ])('are all known when they are %s', (_, total) => {
    expect(missing(total)).toEqual([]);
  });

  it('are missing when they are below it by more', () => {
    expect(missing(owed + tolerance + 1n)).toMatchObject([{ symbol: 'USDC', lacks: true, known: '24000' }]);
  });

  it('are too much when they are above it by more', () => {
    expect(missing(owed - tolerance - 1n)).toMatchObject([{ symbol: 'USDC', lacks: false }]);
  });

  it('are missing of every market of which nobody is known', () => {
    expect(missing(owed, [])).toMatchObject([{ symbol: 'USDC', known: '0', lacks: true }]);
  });
});

/** What is missing when one account is known 100 blocks after the first, and USDC counts this total. */
function missing(total: bigint, accounts = [compoundAccount(DEBT)]): readonly MissingDebt[] {
  const market = compoundMarket();
  const { calls, decode } = debtsRead(market, accounts, 100);
  const usdc = market.mTokens.get(1)!.address;
  const word = (value: bigint): `0x${string}` => `0x${value.toString(16).padStart(64, '0')}`;
  // Of each market: cash, debt, reserves, supply, index, accrual and rate.
  const answers = calls.map(({ to }, index) => {
    const values = [0n, to === usdc ? total : 0n, 0n, 0n, WAD, 0n, 0n];
    return { success: true, data: word(values[index % values.length]!) };
  });
  return decode(answers);
}
