import { describe, expect, it } from 'vitest';
import type { Address } from '../../domain/hex.js';
import { PreLiquidationBook } from './pre-liquidation-book.js';
import type { PreLiquidationChange } from './pre-liquidation-events.js';
import type { PreLiquidation } from './pre-liquidation.js';

const MARKET = `0x${'ab'.repeat(32)}` as const;
const addressOf = (number: number): Address => `0x${number.toString(16).padStart(40, '0')}`;
const [ALICE, BOB, CONTRACT] = [addressOf(1), addressOf(2), addressOf(3)];

const made = (contract = CONTRACT): PreLiquidation => ({
  ...{ contract, marketId: MARKET, preLltvWad: 8n * 10n ** 17n, oracle: addressOf(9) },
  ...{ closeFactorWads: [10n ** 17n, 10n ** 18n], incentiveWads: [10n ** 18n, 10n ** 18n] },
});
const created = (contract = CONTRACT): PreLiquidationChange => ({ kind: 'created', created: made(contract) });
const authorisation = (borrower: Address, isAuthorised: boolean): PreLiquidationChange => ({
  ...{ kind: 'authorisation', borrower, contract: CONTRACT, isAuthorised },
});
const authorised = (book: PreLiquidationBook): Address[] =>
  [...book.authorised].map(({ borrower }) => borrower);

describe('the book of pre-liquidation contracts', () => {
  it('follows authorisations by their logs, and takes them back with their blocks', () => {
    const book = new PreLiquidationBook();
    book.add(made());
    const first = book.commit([authorisation(ALICE, true)], 10);
    const second = book.commit([authorisation(ALICE, false), authorisation(BOB, true)], 11);
    expect(authorised(book)).toEqual([BOB]);
    book.undo(second);
    expect(authorised(book)).toEqual([ALICE]);
    expect(book.isKnown(BOB, CONTRACT)).toBe(false);
    book.undo(first);
    expect([authorised(book), book.isKnown(ALICE, CONTRACT)]).toEqual([[], false]);
  });

  it('forgets with a block what was asked at it, and keeps what was asked before', () => {
    const book = new PreLiquidationBook();
    book.add(made());
    book.commit([], 10);
    book.learn({ borrower: ALICE, contract: CONTRACT }, true);
    const undo = book.commit([], 11);
    book.learn({ borrower: BOB, contract: CONTRACT }, true);
    book.undo(undo);
    expect(authorised(book)).toEqual([ALICE]);
    expect(book.isKnown(BOB, CONTRACT)).toBe(false);
  });

  it('takes back a contract of a block, unless the history has it as well', () => {
    const book = new PreLiquidationBook();
    const undo = book.commit([created(), created(addressOf(4))], 10);
    book.learn({ borrower: ALICE, contract: CONTRACT }, true);
    book.add(made(addressOf(4)));
    expect(book.size).toBe(2);
    book.undo(undo);
    expect(book.of(MARKET).map(({ contract }) => contract)).toEqual([addressOf(4)]);
    expect(authorised(book)).toEqual([]);
  });

  it('ignores authorisations of other accounts, and more contracts of a market than a hundred', () => {
    const book = new PreLiquidationBook();
    book.commit([authorisation(ALICE, true)], 10);
    expect(authorised(book)).toEqual([]);
    for (let index = 0; index < 150; index++) book.add(made(addressOf(1_000 + index)));
    expect([book.size, book.of(MARKET).length]).toEqual([100, 100]);
  });

  it('asks again for those who did not authorise when it remembers too many', () => {
    const book = new PreLiquidationBook(50);
    book.add(made());
    book.learn({ borrower: ALICE, contract: CONTRACT }, true);
    for (let index = 0; index < 50; index++)
      book.learn({ borrower: addressOf(1_000 + index), contract: CONTRACT }, false);
    expect(authorised(book)).toEqual([ALICE]);
    expect(book.isKnown(addressOf(1_000), CONTRACT)).toBe(false);
    expect(book.isKnown(addressOf(1_049), CONTRACT)).toBe(true);
  });
});
