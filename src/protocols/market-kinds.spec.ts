import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { opportunityOf, pairOf, positionOf } from '../../testing/builders/opportunities.js';
import { UINT256_MAX, USD8, WAD } from '../domain/money.js';
import { mostSeized, type Opportunity } from '../domain/opportunity.js';
import { isBoundedByLimit } from './aave-v3/candidates.js';
import { borrowIndexAt } from './aave-v3/market.js';
import { gasOf, givesCollateralFirst, lookBefore, sizePair, sizePayable, stepOf } from './market-kinds.js';

const usdc = (dollars: number): bigint => BigInt(dollars) * 10n ** 6n;

/** As rows store it: a bigint is decimal text. No other text of an opportunity is a number. */
function throughJson(opportunity: Opportunity): Opportunity {
  const text = JSON.stringify(opportunity, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return JSON.parse(text, (_, value: unknown) =>
    typeof value === 'string' && /^-?\d+$/.test(value) ? BigInt(value) : value,
  ) as Opportunity;
}

describe('sizing of a liquidation pair', () => {
  it.each(['3.5', '3.6', '3.7'])(
    'gives the same candidates after an opportunity was stored as JSON and read back (rules %s)',
    (version) => {
      const opportunity = opportunityOf(positionOf(), pairOf(positionOf(), { version }));
      const restored = throughJson(opportunity);
      expect(restored).toEqual(opportunity);
      const [before] = opportunity.pairs;
      const [after] = restored.pairs;
      fc.assert(
        fc.property(fc.bigInt({ min: 1n, max: usdc(30_000) }), (amount) => {
          expect(sizePair(after!, amount, 'swap-depth')).toEqual(sizePair(before!, amount, 'swap-depth'));
        }),
      );
    },
  );

  it('gives the candidates of the pair for their amounts', () => {
    const pair = pairOf();
    expect(pair.candidates.map(({ sizing }) => sizing)).toContain('close-factor');
    for (const candidate of pair.candidates)
      expect(sizePair(pair, candidate.debtToCover, candidate.sizing)).toEqual(candidate);
  });

  it('refuses an amount that would leave too little debt behind', () => {
    const pair = pairOf(positionOf({ healthFactorWad: (WAD * 90n) / 100n }));
    expect(sizePair(pair, usdc(23_000), 'swap-depth')).toBeUndefined();
    expect(sizePair(pair, usdc(23_500), 'swap-depth')).toMatchObject({ sizing: 'all-debt' });
  });

  it('cuts an amount to what the close factor allows', () => {
    const candidate = sizePair(pairOf(), UINT256_MAX, 'swap-depth');
    expect(candidate).toMatchObject({ sizing: 'swap-depth', debtToCover: usdc(11_750) });
  });

  it.each(['3.5', '3.6', '3.7'])(
    'covers the most debt for which the market can pay out the collateral (rules %s)',
    (version) => {
      const position = positionOf({ healthFactorWad: (WAD * 90n) / 100n });
      const pair = pairOf(position, { version });
      fc.assert(
        fc.property(fc.bigInt({ min: 1n, max: 11n * WAD }), (payable) => {
          const most = sizePayable(pair, payable);
          if (!most) return;
          expect(mostSeized(most)).toBeLessThanOrEqual(payable);
          // One unit of debt more seizes too much, or leaves too little behind.
          const more = sizePair(pair, most.debtToCover + 1n, 'payable');
          expect(more === undefined || mostSeized(more) > payable || more.sizing === 'all-debt').toBe(true);
        }),
      );
    },
  );

  it('lowers what the market can pay out to an amount that leaves enough behind, and finds none for nothing', () => {
    // With 8.9 WETH, of the 9.14 that all of the debt seizes, less than 1,000 USD of debt would be left.
    const pair = pairOf(positionOf({ healthFactorWad: (WAD * 90n) / 100n }));
    const whole = sizePair(pair, UINT256_MAX, 'close-factor')!;
    expect(sizePayable(pair, whole.collateralSeized)).toMatchObject({ debtToCover: usdc(22_500) });
    expect(sizePayable(pair, mostSeized(whole))).toMatchObject({ sizing: 'all-debt' });
    expect(sizePayable(pair, 0n)).toBeUndefined();
  });

  it('tells whether the limit of the operator bounds the pair', () => {
    const maxNotionalUsd8 = 500n * USD8;
    const limited = pairOf(positionOf(), { maxNotionalUsd8 });
    expect(limited.candidates).toMatchObject([{ sizing: 'notional-limit', debtToCover: usdc(500) }]);
    expect(isBoundedByLimit(limited, maxNotionalUsd8)).toBe(true);
    expect(isBoundedByLimit(limited, 10n ** 30n)).toBe(false);
  });

  it('looks for the scaled debt less half of what the plan covers, so that dust repaid does not stop it', () => {
    const pair = pairOf();
    const { debt, reserve } = pair.terms.debt;
    const index = borrowIndexAt(reserve.indexes, pair.terms.timestamp);
    const scaled = (amount: bigint): bigint => (amount * 10n ** 27n) / index;
    expect(lookBefore(pair, usdc(10_000))).toEqual({
      debtToken: reserve.variableDebtToken,
      least: scaled(debt - usdc(5_000)),
    });
    // A plan that funds a little more than the debt looks for half of the debt.
    expect(lookBefore(pair, debt + 1n).least).toBe(scaled(debt - debt / 2n));
    // A rival who took as much as the plan wants leaves less; a borrower who repaid a unit leaves more.
    const { least } = lookBefore(pair, usdc(10_000));
    expect(scaled(debt - usdc(10_000))).toBeLessThan(least);
    expect(scaled(debt - 1n)).toBeGreaterThan(least);
    expect(() => lookBefore({ ...pair, terms: { kind: 'unknown' } }, 1n)).toThrow(TypeError);
  });

  it('refuses terms of a family or of a version that it does not know', () => {
    const pair = pairOf();
    expect(() => sizePair({ ...pair, terms: { kind: 'unknown' } }, 1n, 'swap-depth')).toThrow(TypeError);
    expect(() => pairOf(positionOf(), { version: '2.0' })).toThrow(RangeError);
  });
});

describe('what the contract does to liquidate', () => {
  it('on Aave: its one step, which knows pair and amount already, with the debt tokens in hand', () => {
    const pair = pairOf();
    expect(stepOf(pair, pair.candidates[0]!, 'before')).toEqual({ kind: 'liquidate' });
    expect(givesCollateralFirst(pair)).toBe(false);
    expect(gasOf(pair)).toBe(350_000n);
  });
});
