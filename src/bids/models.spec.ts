import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BID_POLICY } from '../../testing/bids.js';
import { byInclusion, bySize, type Bidder, type BidQuestion } from '../domain/bid.js';
import { nativeUsd8 } from '../domain/costs.js';
import { USD8 } from '../domain/money.js';
import { leastThatWins, type TipsOfChain } from './least-that-wins.js';
import { NO_RACES, type RaceLevels } from './race-levels.js';

const GWEI = 10n ** 9n;
const QUESTION: BidQuestion = {
  grossProfitUsd8: 60n * USD8,
  marginUsd8: 50n * USD8,
  gasUsed: 400_000n,
  nativePriceUsd8: 2_500n * USD8,
};
/** USD8, rounded up, of a tip. */
const usd8Of = (perGasWei: bigint, { gasUsed, nativePriceUsd8 }: BidQuestion = QUESTION): bigint =>
  nativeUsd8(perGasWei * gasUsed, nativePriceUsd8);
const levelsAt = (tipWei: bigint): RaceLevels => NO_RACES.map((level) => ({ ...level, tipWei, won: 1 }));
const least = (levels: RaceLevels, chain?: TipsOfChain): ReturnType<Bidder> =>
  leastThatWins(BID_POLICY, levels, chain)(QUESTION);

const anyQuestion: fc.Arbitrary<BidQuestion> = fc
  .record({
    marginUsd8: fc.bigInt({ min: -10n * USD8, max: 100_000n * USD8 }),
    costsUsd8: fc.bigInt({ min: 0n, max: 100n * USD8 }),
    gasUsed: fc.bigInt({ min: 21_000n, max: 16_777_216n }),
    nativePriceUsd8: fc.bigInt({ min: USD8, max: 100_000n * USD8 }),
  })
  .map(({ costsUsd8, ...question }) => ({ ...question, grossProfitUsd8: question.marginUsd8 + costsUsd8 }));

describe('the bid by inclusion', () => {
  it('is a share of the gross profit', () => {
    const bid = byInclusion(1_500, BID_POLICY)(QUESTION)!;
    expect(bid).toMatchObject({ model: 'by-inclusion', why: '15 % of the gross profit' });
    expect(usd8Of(bid.perGasWei)).toBe(9n * USD8);
  });

  it('leaves the floor, and says so', () => {
    const poor = { ...QUESTION, marginUsd8: 6n * USD8 };
    const bid = byInclusion(1_500, BID_POLICY)(poor)!;
    expect(usd8Of(bid.perGasWei)).toBe(USD8);
    expect(bid.why).toBe('15 % of the gross profit, less what the profit floor needs');
  });
});

describe('the least that wins', () => {
  it('is what the races say', () => {
    expect(least(levelsAt(3n * GWEI))).toMatchObject({
      perGasWei: 3n * GWEI,
      why: '3 gwei, by the races of its size',
    });
  });

  it('before the first race: what nine tenths of the chain do not exceed', () => {
    const chain = { usualWei: GWEI, highWei: 2n * GWEI };
    expect(least(NO_RACES, chain)).toMatchObject({
      perGasWei: 2n * GWEI,
      why: '2 gwei, a high tip of the recent blocks: there was no race yet',
    });
    expect(least(NO_RACES)?.perGasWei).toBe(1n);
  });

  it('is at least what is usual on the chain', () => {
    const chain = { usualWei: GWEI, highWei: 2n * GWEI };
    expect(least(levelsAt(5n), chain)).toMatchObject({
      perGasWei: GWEI,
      why: '1 gwei, the usual tip of the recent blocks: races needed less',
    });
  });

  it('is never more than by-size offers, and says so', () => {
    const most = bySize(BID_POLICY)(QUESTION)!.perGasWei;
    expect(least(levelsAt(10n ** 15n))).toMatchObject({ perGasWei: most, mostPerGasWei: most });
    expect(least(levelsAt(10n ** 15n))?.why).toContain('no more than by-size: 20 gwei');
  });
});

describe('whatever a plan brings and whatever was learned', () => {
  it('no model leaves less than the floor, or offers more than 40 % or more than it can afford', () => {
    const anyWei = fc.bigInt({ min: 0n, max: 10n ** 18n });
    const anyShare = fc.integer({ min: 0, max: 4_000 });
    fc.assert(
      fc.property(anyQuestion, anyShare, anyWei, anyWei, (question, share, learned, chainWei) => {
        const { grossProfitUsd8, marginUsd8, nativePriceUsd8, gasUsed } = question;
        const chain = { usualWei: chainWei / 2n, highWei: chainWei };
        const models: Bidder[] = [
          bySize(BID_POLICY),
          byInclusion(share, BID_POLICY),
          leastThatWins(BID_POLICY, levelsAt(learned), chain),
          leastThatWins(BID_POLICY, NO_RACES, chain),
        ];
        const most = models[0]!(question)?.perGasWei;
        for (const bidder of models) {
          const bid = bidder(question);
          expect(bid === undefined).toBe(marginUsd8 < BID_POLICY.minProfitUsd8);
          if (!bid) continue;
          const { model, perGasWei, mostPerGasWei, why } = bid;
          const usd8 = (perGasWei * gasUsed * nativePriceUsd8) / 10n ** 18n;
          expect(usd8 <= marginUsd8 - BID_POLICY.minProfitUsd8).toBe(true);
          expect(usd8 * 10_000n <= grossProfitUsd8 * 4_000n).toBe(true);
          expect(perGasWei >= 0n && perGasWei <= mostPerGasWei).toBe(true);
          if (model === 'least-that-wins') expect(perGasWei <= most!).toBe(true);
          expect(why).not.toBe('');
        }
      }),
    );
  });
});
