import { describe, expect, it } from 'vitest';
import { USD8 } from '../domain/money.js';
import { feedProblem, nativePriceObjection } from './native-price.js';

const round = (answer: bigint): { answer: bigint; updatedAt: number } => ({ answer, updatedAt: 1 });
const FEED = `0x${'fe'.repeat(20)}` as const;

describe('the price of the native token', () => {
  it.each([
    { feed: 2_000n * USD8, markets: [], reason: undefined },
    { feed: 2_000n * USD8, markets: [2_000n * USD8], reason: undefined },
    { feed: 2_100n * USD8, markets: [2_000n * USD8], reason: undefined },
    { feed: 2_100n * USD8 + 1n, markets: [2_000n * USD8], reason: 'native-price-differs' },
    { feed: 1_900n * USD8 - 1n, markets: [2_000n * USD8], reason: 'native-price-differs' },
    { feed: 1n * USD8, markets: [1n * USD8, 2_000n * USD8], reason: 'native-price-differs' },
    { feed: 10n ** 6n - 1n, markets: [], reason: 'native-price-out-of-range' },
    { feed: 10n ** 14n + 1n, markets: [], reason: 'native-price-out-of-range' },
  ])('F34 case %#: $reason', ({ feed, markets, reason }) => {
    expect(nativePriceObjection(round(feed), markets)?.reason).toBe(reason);
  });

  it('F34 is missing when the feed gives no positive price', () => {
    expect(nativePriceObjection(undefined, [])?.reason).toBe('price-missing');
  });
});

describe('the check of the native feed at start', () => {
  const ETH = { decimals: 8, description: 'ETH / USD', round: round(2_000n * USD8) };

  it('accepts a feed that agrees with the markets', () => {
    expect(feedProblem(FEED, ETH, [2_010n * USD8])).toBeUndefined();
  });

  it.each([
    [{ ...ETH, decimals: undefined }, 'does not answer as a price feed does'],
    [{ ...ETH, round: undefined }, 'does not answer as a price feed does'],
    [{ ...ETH, decimals: 18 }, 'has 18 decimals; a price in USD with 8 decimals was expected'],
    [
      { ...ETH, description: 'USDC / USD', round: round(USD8) },
      '("USDC / USD") says 1 USD, but a lending market values the wrapped native token at 2000 USD',
    ],
    [{ ...ETH, round: round(1n) }, 'a price between 0.01 and 1000000 USD was expected'],
  ])('refuses case %# in one sentence', (facts, sentence) => {
    const problem = feedProblem(FEED, facts, [2_000n * USD8]);
    expect(problem).toContain('oracles.nativeUsdFeed: the feed 0xfe');
    expect(problem).toContain(sentence);
  });
});
