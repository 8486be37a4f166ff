import { unitOf, type Priced } from '../domain/money.js';
import type { LiquidationCandidate, Opportunity } from '../domain/opportunity.js';
import type { FormKind } from '../routes/form.js';
import type { Router } from '../routes/router.js';

/** What floats may be wrong by, generously. */
const TOLERANCE = 1.000_001;

/**
 * What a position is worth at most, USD8: each of its amounts, as if the swap were as good as that of a small
 * amount, and gas and fees were free. The profit between two amounts is between theirs. It orders, and
 * decides nothing.
 */
export function boundUsd8({ pairs }: Pick<Opportunity, 'pairs'>, router: Router): bigint {
  const worths = pairs.flatMap(({ candidates }) => candidates.map((one) => worthUsd8(one, router)));
  return BigInt(Math.ceil(Math.max(0, ...worths) * TOLERANCE));
}

function worthUsd8(candidate: LiquidationCandidate, router: Router): number {
  const { collateral, debt } = candidate;
  const [seized, toFund] = [Number(candidate.collateralSeized), Number(candidate.debtToFund)];
  const priceBy = (kind: FormKind): number => router.bestPrice(collateral.address, debt.address, kind);
  const [bought, sold] = [priceBy('flash-swap'), priceBy('sale')];
  return Math.max(
    bought > 0 ? usd8(seized - toFund / bought, collateral) : 0,
    sold > 0 ? usd8(seized * sold - toFund, debt) : 0,
  );
}

function usd8(amount: number, { decimals, priceUsd8 }: Priced): number {
  return (amount * Number(priceUsd8)) / Number(unitOf(decimals));
}
