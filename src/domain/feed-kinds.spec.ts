import { describe, expect, it } from 'vitest';
import { DebtTally, leadingKind, type FeedNature, type MarketFeed } from './feed-kinds.js';

const FEEDS: readonly MarketFeed[] = ['WETH', 'cbBTC', 'USDC', 'AERO'].map((of) => ({
  of,
  address: undefined,
}));
const NATURES: readonly FeedNature[] = [
  { kind: 'oev-wrapper', type: undefined },
  { kind: 'svr', type: 'DualAggregator 1.0.0' },
  { kind: 'public', type: 'AccessControlledOCR2Aggregator 1.0.0' },
  { kind: 'unknown', type: undefined },
];
const [WETH, CBBTC, USDC, AERO] = [0, 1, 2, 3];

describe('the debt behind kinds of feeds', () => {
  it('counts each position once by kind: what is auctioned first, what everybody sees last', () => {
    const tally = new DebtTally(FEEDS, NATURES);
    tally.add(1_000n, [USDC]);
    tally.add(2_000n, [USDC, AERO]);
    tally.add(3_000n, [AERO, WETH]);
    tally.add(4_000n, [WETH, USDC, CBBTC]);
    const { kinds, debtUsd8 } = tally.end('aave', 7);
    expect(debtUsd8).toBe(10_000n);
    expect(Object.fromEntries(Object.entries(kinds).map(([kind, { debtBps }]) => [kind, debtBps]))).toEqual({
      svr: 4_000,
      'oev-wrapper': 3_000,
      unknown: 2_000,
      public: 1_000,
    });
  });

  it('counts a position for each of its feeds, and shows the feed with the most debt first', () => {
    const tally = new DebtTally(FEEDS, NATURES);
    tally.add(3n, [USDC, WETH]);
    tally.add(1n, [USDC, CBBTC]);
    const { feeds } = tally.end('aave', 7);
    expect(feeds.map(({ of, kind, debtBps }) => [of, kind, debtBps])).toEqual([
      ['USDC', 'public', 10_000],
      ['WETH', 'oev-wrapper', 7_500],
      ['cbBTC', 'svr', 2_500],
      ['AERO', 'unknown', 0],
    ]);
  });

  it('rounds shares down, and has none without debt', () => {
    const tally = new DebtTally(FEEDS, NATURES);
    expect(tally.end('aave', 7).kinds.public).toEqual({ feeds: 1, debtBps: 0 });
    tally.add(2n ** 100n, [USDC]);
    tally.add(1n, [CBBTC]);
    const { kinds } = tally.end('aave', 7);
    expect([kinds.public.debtBps, kinds.svr.debtBps]).toEqual([9_999, 0]);
  });

  it('a position of which no feed is known is unknown', () => {
    const tally = new DebtTally([], []);
    tally.add(5n, []);
    expect(tally.end('aave', 7).kinds.unknown).toEqual({ feeds: 0, debtBps: 10_000 });
    expect(leadingKind([])).toBe('unknown');
  });
});
