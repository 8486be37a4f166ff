import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bidUsd8, withoutTip } from './bid.js';
import { USD8 } from './money.js';

const policy = { baseBribeBps: 1500, maxBribeBps: 4000, minProfitUsd8: 5n * USD8 };

describe('bid model', () => {
  it('offers nothing when the margin is below the floor even without a bid', () => {
    expect(bidUsd8(5n * USD8 - 1n, policy)).toBeUndefined();
    expect(bidUsd8(-1n, { ...policy, minProfitUsd8: 0n })).toBeUndefined();
  });

  it('bids zero when the margin is exactly the floor', () => {
    expect(bidUsd8(5n * USD8, policy)).toBe(0n);
  });

  it('offers the maximum share from ten floors on', () => {
    expect(bidUsd8(50n * USD8, policy)).toBe(20n * USD8);
    expect(bidUsd8(5000n * USD8, policy)).toBe(2000n * USD8);
  });

  it('offers nothing on a chain that does not order by tips, whatever the margin; below the floor there is no bid', () => {
    const bidder = withoutTip({ ...policy, bidModel: 'least-that-wins' });
    const question = { grossProfitUsd8: 0n, gasUsed: 1n, nativePriceUsd8: USD8 };
    expect(bidder({ ...question, marginUsd8: 5n * USD8 - 1n })).toBeUndefined();
    expect(bidder({ ...question, marginUsd8: 5_000n * USD8 })).toMatchObject({
      model: 'least-that-wins',
      perGasWei: 0n,
      mostPerGasWei: 0n,
    });
  });

  it('never leaves less than the floor, never offers more than the maximum share, and grows with the margin', () => {
    const margin = fc.bigInt({ min: 5n * USD8, max: 10n ** 16n });
    fc.assert(
      fc.property(margin, fc.bigInt({ min: 0n, max: 10n ** 14n }), (lower, more) => {
        const small = bidUsd8(lower, policy) ?? -1n;
        const large = bidUsd8(lower + more, policy) ?? -1n;
        expect(lower - small >= policy.minProfitUsd8).toBe(true);
        expect(small * 10_000n <= lower * 4000n).toBe(true);
        expect(large >= small).toBe(true);
      }),
    );
  });
});
