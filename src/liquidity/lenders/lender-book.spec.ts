import { describe, expect, it } from 'vitest';
import { addressOf } from '../../../testing/builders/opportunities.js';
import { TestClock } from '../../../testing/fakes/test-clock.js';
import { uintAt, uintWord, type Address } from '../../domain/hex.js';
import type { PositionId } from '../../domain/position-id.js';
import { LenderBook } from './lender-book.js';
import type { Lender, Offer } from './lender.js';

const [WETH, USDC] = [addressOf('a0'), addressOf('a1')];
const market = addressOf('aa');
const BOB: PositionId = { market, borrower: addressOf('b0') };
const EVE: PositionId = { market, borrower: addressOf('e0') };
const word = (value: bigint): { success: boolean; data: `0x${string}` } => ({
  success: true,
  data: `0x${uintWord(value)}`,
});

/** It is asked one word for each token: how much it has. */
function lender(name: string, byte: string, feeBps: bigint, gas = 1n): Lender {
  const address = addressOf(byte);
  return {
    name,
    address,
    offers: (tokens) => ({
      calls: tokens.map(() => ({ to: address, data: '0x01' })),
      decode: (results) =>
        results.map(({ data }): Offer | undefined => {
          const most = uintAt(data, 0);
          return most === 0n ? undefined : { name, lender: address, feeBps, most, gas };
        }),
    }),
  };
}

function book(...lenders: Lender[]): { book: LenderBook; clock: TestClock } {
  const clock = new TestClock();
  const made = new LenderBook(lenders, clock);
  made.serve(() => [WETH, USDC, WETH].map((address) => ({ address })));
  return { book: made, clock };
}

const names = (offers: readonly Offer[]): string[] => offers.map(({ name }) => name);

/** Answers all that the book asks: the amounts of each lender, by token. */
function answer(one: LenderBook, ...amounts: bigint[]): (position: PositionId, token: Address) => string[] {
  const { calls, decode } = one.reads();
  expect(calls).toHaveLength(amounts.length);
  const offers = one.view(decode(amounts.map(word)));
  return (position, token) => names(offers.for(position, token));
}

describe('the book of lenders', () => {
  it('asks each lender for each token once, and again after five seconds; between them nothing', () => {
    const { book: one, clock } = book(lender('a', '01', 0n), lender('b', '02', 5n));
    expect(one.reads().calls).toHaveLength(4);
    expect(answer(one, 1n, 2n, 3n, 0n)(BOB, USDC)).toEqual(['a']);
    clock.advance(4_999);
    expect(one.reads().calls).toEqual([]);
    expect(names(one.view(undefined).for(BOB, USDC))).toEqual(['a']);
    clock.advance(1);
    expect(answer(one, 0n, 0n, 0n, 7n)(BOB, USDC)).toEqual(['b']);
  });

  it('counts from the question, so that it asks at the same heads as what else is asked by turns', () => {
    const { book: one, clock } = book(lender('a', '01', 0n));
    const { decode } = one.reads();
    clock.advance(300);
    one.view(decode([word(1n), word(1n)]));
    clock.advance(4_700);
    expect(one.reads().calls).toHaveLength(2);
  });

  it('asks again at the next head when an answer is lost', () => {
    const { book: one } = book(lender('a', '01', 0n));
    expect(one.reads().calls).toHaveLength(2);
    expect(one.reads().calls).toHaveLength(2);
  });

  it('asks nothing without lenders, and before a market names its tokens', () => {
    expect(book().book.reads().calls).toEqual([]);
    expect(new LenderBook([lender('a', '01', 0n)], new TestClock()).reads().calls).toEqual([]);
  });

  it('names the cheapest lender first: by its fee, then by the gas of its loan', () => {
    const { book: one } = book(
      lender('dear', '01', 9n),
      lender('heavy', '02', 0n, 3n),
      lender('light', '03', 0n, 2n),
    );
    expect(answer(one, ...Array<bigint>(6).fill(1n))(BOB, WETH)).toEqual(['light', 'heavy', 'dear']);
  });

  it('a loan that reverted in a proof is not offered to that position again until the next reading', () => {
    const { book: one, clock } = book(lender('a', '01', 0n), lender('b', '02', 5n));
    const offered = answer(one, 1n, 1n, 1n, 1n);
    one.view(undefined).doubt({ lender: addressOf('01') }, BOB, USDC);
    expect(offered(BOB, USDC)).toEqual(['b']);
    // The position may be the cause: others, and other tokens, are not meant.
    expect(offered(EVE, USDC)).toEqual(['a', 'b']);
    expect(offered({ ...BOB, marketId: `0x${'01'.repeat(32)}` }, USDC)).toEqual(['a', 'b']);
    expect(offered(BOB, WETH)).toEqual(['a', 'b']);
    clock.advance(5_000);
    expect(answer(one, 1n, 1n, 1n, 1n)(BOB, USDC)).toEqual(['a', 'b']);
  });
});
