import { describe, expect, it } from 'vitest';
import { MORPHO_LLTV_WAD, MORPHO_PRICE, morphoTerms } from '../../../testing/builders/morpho.js';
import { Random } from '../../../testing/random.js';
import { USD8 } from '../../domain/money.js';
import { amountOf, edges, liquidationPair, payableCandidate, sizedCandidate } from './candidates.js';
import { debtLook } from './debt-look.js';
import { healthOf, isLiquidatable } from './health.js';
import { liquidationResult } from './liquidation.js';

const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? Date.now() % 1_000_000);

describe('the amounts of a Morpho Blue liquidation', () => {
  it('takes all of the debt where the collateral reaches for it', () => {
    const terms = morphoTerms();
    const [candidate, ...others] = edges(terms);
    expect(others).toEqual([]);
    expect(candidate).toMatchObject({
      sizing: 'all-debt',
      debtToCover: 80_000n * 10n ** 6n,
      protocolFee: 0n,
    });
    expect(amountOf(terms, candidate!)).toEqual({ unit: 'shares', amount: terms.position.borrowShares });
    expect(candidate!.debtToFund).toBeGreaterThan(candidate!.debtToCover);
  });

  it('takes all of the collateral where it does not reach for the debt', () => {
    const terms = morphoTerms({ debt: 89_000n * 10n ** 6n });
    const [candidate, ...others] = edges(terms);
    expect(others).toEqual([]);
    expect(candidate).toMatchObject({ sizing: 'all-collateral', collateralSeized: 10n ** 8n });
    expect(amountOf(terms, candidate!)).toEqual({ unit: 'collateral', amount: 10n ** 8n });
  });

  it('takes what the limit of the operator allows, when that is less', () => {
    const [candidate, ...others] = edges(morphoTerms({ maxNotionalUsd8: 1_000n * USD8 }));
    expect(others).toEqual([]);
    expect(candidate?.sizing).toBe('notional-limit');
    expect(candidate?.debtToCover).toBeLessThanOrEqual(1_000n * 10n ** 6n);
    expect(candidate?.debtToCover).toBeGreaterThan(999n * 10n ** 6n);
  });

  it('takes a hair less than all where the interest until inclusion would ask for more collateral', () => {
    const exact = morphoTerms({ debt: 85_000n * 10n ** 6n });
    const all = { unit: 'shares', amount: exact.position.borrowShares } as const;
    const rich = { ...exact, position: { ...exact.position, collateral: 10n ** 12n } };
    const { seizedAssets } = liquidationResult(rich, all)!;
    const terms = morphoTerms({
      debt: 85_000n * 10n ** 6n,
      collateral: seizedAssets + 100n,
      horizonSeconds: 3_600,
    });
    const [candidate] = edges(terms);
    expect(candidate?.sizing).toBe('leaves-minimum');
    expect(candidate!.collateralSeized).toBeGreaterThan((seizedAssets * 9_999n) / 10_000n);
    const later = liquidationResult({ ...terms, totals: terms.laterTotals }, amountOf(terms, candidate!));
    expect(later?.seizedAssets).toBeLessThanOrEqual(seizedAssets + 100n);
  });

  it('pays out no more collateral than is asked for', () => {
    const candidate = payableCandidate(morphoTerms(), 10n ** 7n);
    expect(candidate?.collateralSeized).toBeLessThanOrEqual(10n ** 7n);
    expect(candidate?.collateralSeized).toBeGreaterThan(9_990_000n);
    expect(liquidationPair(morphoTerms()).payable).toBeUndefined();
  });

  it('looks for half of the borrow shares that the plan covers', () => {
    const terms = morphoTerms();
    const { borrowShares } = terms.position;
    expect(debtLook(terms, 80_000n * 10n ** 6n)).toEqual({
      marketId: terms.marketId,
      least: borrowShares - borrowShares / 2n,
    });
  });

  it('refuses the terms of another family', () => {
    expect(() => sizedCandidate({ kind: 'aave-v3' }, 1n, 'payable')).toThrow(TypeError);
  });

  it(`gives for each amount one that Morpho takes, and the same for what it covers (seed ${SEED})`, () => {
    const random = new Random(SEED);
    let candidates = 0;
    for (let turn = 0; turn < 1_000; turn++) {
      const debt = random.magnitude(10n ** 13n) + 10n;
      const collateral = (debt * 10n ** 10n * (90n + random.below(40n))) / (90_000n * 10n ** 8n * 100n) + 1n;
      const terms = morphoTerms({ debt, collateral });
      if (!isLiquidatable(healthOf(terms.totals, terms.position, MORPHO_PRICE, MORPHO_LLTV_WAD))) continue;
      const candidate = sizedCandidate(terms, random.below(debt * 2n) + 1n, 'swap-depth');
      if (!candidate) continue;
      candidates += 1;
      const context = `turn ${turn} of seed ${SEED}`;
      expect(sizedCandidate(terms, candidate.debtToCover, candidate.sizing), context).toEqual(candidate);
      const amount = amountOf(terms, candidate);
      const { seizedAssets, repaidAssets } = liquidationResult(terms, amount)!;
      expect([seizedAssets, repaidAssets], context).toEqual([
        candidate.collateralSeized,
        candidate.debtToCover,
      ]);
      const later = liquidationResult({ ...terms, totals: terms.laterTotals }, amount);
      expect(later?.repaidAssets, context).toBeLessThanOrEqual(candidate.debtToFund);
    }
    expect(candidates).toBeGreaterThan(100);
  });
});
