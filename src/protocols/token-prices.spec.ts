import { describe, expect, it } from 'vitest';
import { addressOf } from '../../testing/builders/aave-market.js';
import { standIn } from '../../testing/fakes/stand-in.js';
import type { Address, Hash } from '../domain/hex.js';
import type { Chain } from '../rpc/chain/chain.js';
import { TokenPrices, type TokenPriceSource } from './token-prices.js';

const BLOCK: Hash = `0x${'07'.repeat(32)}`;
const [ETHER, DOLLAR, SPAM] = [addressOf(1), addressOf(2), addressOf(3)];

/** A market that prices these tokens, and what it was asked for. */
function source(prices: ReadonlyMap<Address, bigint>): { find: TokenPriceSource; asked: Address[][] } {
  const asked: Address[][] = [];
  return {
    asked,
    find: (_chain, tokens) => {
      asked.push([...tokens]);
      const known = tokens.filter((token) => prices.has(token));
      return Promise.resolve(
        new Map(known.map((token) => [token, { calls: [], decode: () => prices.get(token) }])),
      );
    },
  };
}

describe('what the oracles of other markets say of tokens', () => {
  it('comes from the first market that prices a token, and nobody is asked twice', async () => {
    const first = source(new Map([[ETHER, 3_000n]]));
    const second = source(
      new Map([
        [ETHER, 2_999n],
        [DOLLAR, 1n],
      ]),
    );
    const prices = new TokenPrices(standIn<Chain>('chain', {}), [first.find, second.find]);
    expect(prices.readOf(ETHER)).toBeUndefined();
    await prices.look([ETHER, DOLLAR, SPAM], BLOCK);
    await prices.look([SPAM, ETHER], BLOCK);
    expect([ETHER, DOLLAR, SPAM].map((token) => prices.readOf(token)?.decode([]))).toEqual([
      ...[3_000n, 1n, undefined],
    ]);
    expect([first.asked, second.asked]).toEqual([[[ETHER, DOLLAR, SPAM]], [[DOLLAR, SPAM]]]);
  });
});
