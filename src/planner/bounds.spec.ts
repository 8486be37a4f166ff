import { prospectsOf, worthOfPairs } from '../../testing/prospects.js';
import { describe, expect, it } from 'vitest';
import { addressOf, opportunityOf, positionOf, USDC, WETH } from '../../testing/builders/opportunities.js';
import { ConstantProductPool } from '../../testing/fakes/constant-product-pool.js';
import { viewOfPools } from '../../testing/pools.js';
import { context } from '../../testing/proofs.js';
import type { Opportunity } from '../domain/opportunity.js';
import { Router } from '../routes/router.js';
import { saleBoundUsd8, worthIn } from './bounds.js';
import { quotesInTurns } from './quotes.js';

/** At this price for one WETH; the oracle of the builder says another one. */
const poolAt = (dollars: number, wholeWeth = 50_000, feePips = 500): ConstantProductPool =>
  new ConstantProductPool(
    addressOf('01'),
    [USDC, WETH],
    [BigInt(dollars * wholeWeth) * 10n ** 6n, BigInt(wholeWeth) * 10n ** 18n],
    feePips,
  );

const grossOf = (pool: ConstantProductPool, opportunity = opportunityOf()): bigint => {
  for (const turn of quotesInTurns({ ...context, pools: viewOfPools([pool]) }, prospectsOf([opportunity])))
    if (turn?.decision.kind === 'quoted') return turn.decision.quote.grossUsd8;
  throw new Error('a quote was expected');
};

const boundOf = ({ pairs }: Opportunity, router: Router): number => worthOfPairs(pairs, worthIn(router));

describe('the bound of a position', () => {
  it.each([2_650, 2_700, 2_800, 3_500])(
    'is above what its plan is worth, and near it, where the pool says $%d: the oracle may be behind',
    (dollars) => {
      const pool = poolAt(dollars);
      const bound = boundOf(opportunityOf(), Router.of([pool]));
      const gross = Number(grossOf(pool));
      expect(bound).toBeGreaterThanOrEqual(gross);
      expect(bound).toBeLessThan(gross * 1.3);
    },
  );

  it('is larger for a larger position', () => {
    const router = Router.of([poolAt(2_700)]);
    const small = opportunityOf(positionOf({ weth: 2n, usdc: 4_700n }), undefined, addressOf('b1'));
    expect(boundOf(small, router)).toBeLessThan(boundOf(opportunityOf(), router));
  });

  it.each([2_650, 2_700, 3_500])(
    'of a loan and a sale is above what they bring, and near it, where the pool says $%d',
    (dollars) => {
      const router = Router.of([poolAt(dollars)]);
      const [pair] = opportunityOf().pairs;
      const { collateralSeized, debtToFund } = pair!.candidates[0]!;
      const owed = debtToFund + (debtToFund * 5n) / 10_000n;
      const usd8 = (router.bestExactIn(WETH, USDC, collateralSeized)!.amountOut - owed) * 100n;
      const bound = saleBoundUsd8(pair!, 5n, router);
      expect(bound).toBeGreaterThanOrEqual(usd8);
      expect(bound).toBeLessThan((usd8 * 13n) / 10n);
    },
  );

  it('is zero where no pool leads from its collateral to its debt', () => {
    expect(boundOf(opportunityOf(), Router.of([]))).toBe(0);
  });
});
