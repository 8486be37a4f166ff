import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../devnet/random.js';
import { WAD } from '../../domain/money.js';
import { debtPerShareAtMost } from './debt-estimate.js';
import { accrued, type RateModel } from './market.js';

/** Repeat a failing run with its seed. */
const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? Date.now() % 1_000_000);
const CASES = Number(process.env['DIFFERENTIAL_CASES'] ?? 2_500);
const NOW = 1_700_000_000;
const YEAR = 365 * 24 * 3_600;
/** Of the last step of the estimate, which the scan covers. */
const ROUNDING = 1e-15;

describe(`the estimate of what a borrow share owes (seed ${SEED})`, () => {
  const random = new SeededRandom(SEED);

  it('is never below the exact amount, whatever the rate, the use and the time', () => {
    let [sharp, steps] = [0, 0];
    for (let index = 0; index < CASES; index++) {
      const supplyAssets = BigInt(Math.round(random.magnitude(1, 1e30)));
      const used = random.chance(0.1) ? 0.9 : random.chance(0.1) ? 1 : random.between(0, 1);
      const borrowAssets = (supplyAssets * BigInt(Math.round(used * 1e15))) / 10n ** 15n;
      const borrowShares = (borrowAssets * BigInt(random.integer(900_000, 1_000_000))) / 1n;
      const totals = {
        ...{ supplyAssets, supplyShares: supplyAssets * 10n ** 6n, borrowAssets, borrowShares },
        ...{ lastUpdate: NOW, feeWad: WAD / 10n },
      };
      const rate = rateOf(random);
      const asked = BigInt(Math.round(random.magnitude(1, 1e12)));
      const seconds = random.chance(0.05) ? 0 : Math.round(random.magnitude(1, 10 * YEAR));
      const { totals: later } = accrued({ totals, rate }, NOW + seconds, asked);
      const shares = Number(borrowShares) + 1e6;
      const owed = (assets: bigint): number => (Number(assets) + 1) / shares;
      const [before, exact] = [owed(borrowAssets), owed(later.borrowAssets)];
      const estimate = debtPerShareAtMost({ totals, rate }, NOW + seconds, asked);
      const shown = JSON.stringify({ totals, rate, seconds, estimate, exact }, (_, value: unknown) =>
        typeof value === 'bigint' ? String(value) : value,
      );
      expect(estimate, shown).toBeGreaterThanOrEqual(exact * (1 - ROUNDING));
      // A unit of the rounding, and the step of the curve.
      expect(estimate - exact - 1 / shares, shown).toBeLessThanOrEqual(
        (exact - before) * 0.02 + 1e-12 * exact,
      );
      if (estimate - exact - 1 / shares <= (exact - before) * 3e-6 + 1e-15 * exact) sharp += 1;
      else steps += 1;
    }
    expect(sharp).toBeGreaterThan(steps * 20);
  });

  it('of a market whose interest is booked up to the time is what it owes', () => {
    const totals = {
      ...{ supplyAssets: 2_000n, supplyShares: 2n, borrowAssets: 999n, borrowShares: 1_000_000n },
      ...{ lastUpdate: NOW, feeWad: 0n },
    };
    expect(debtPerShareAtMost({ totals, rate: { kind: 'asked' } }, NOW)).toBe(1_000 / 2_000_000);
    expect(debtPerShareAtMost({ totals, rate: { kind: 'none' } }, NOW + YEAR)).toBe(1_000 / 2_000_000);
  });
});

function rateOf(random: SeededRandom): RateModel {
  const place = random.next();
  if (place < 0.1) return { kind: 'none' };
  if (place < 0.2) return { kind: 'asked' };
  // From the lowest to the highest rate of the model, 0 before the first use.
  const rateAtTargetWad = place < 0.25 ? 0n : BigInt(Math.round(random.magnitude(3.2e7, 6.3e10)));
  return { kind: 'adaptive-curve', rateAtTargetWad };
}
