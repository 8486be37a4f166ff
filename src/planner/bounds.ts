import { BPS, unitOf, type Priced } from '../domain/money.js';
import type { LiquidationCandidate, LiquidationPair, Opportunity } from '../domain/opportunity.js';
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

/** The same of one pair that is funded by a loan with this fee, and sold. */
export function saleBoundUsd8(
  { candidates }: Pick<LiquidationPair, 'candidates'>,
  feeBps: bigint,
  router: Router,
): bigint {
  const worths = candidates.map((one) => soldUsd8(one, router, 1 + Number(feeBps) / Number(BPS)));
  return BigInt(Math.ceil(Math.max(0, ...worths) * TOLERANCE));
}

function worthUsd8(candidate: LiquidationCandidate, router: Router): number {
  const { collateral, debt } = candidate;
  const [seized, toFund] = [Number(candidate.collateralSeized), Number(candidate.debtToFund)];
  const bought = router.bestPrice(collateral.address, debt.address, 'flash-swap');
  return Math.max(bought > 0 ? usd8(seized - toFund / bought, collateral) : 0, soldUsd8(candidate, router));
}

/** @param owed for a unit of the loan. */
function soldUsd8(candidate: LiquidationCandidate, router: Router, owed = 1): number {
  const { collateral, debt, collateralSeized, debtToFund } = candidate;
  const isOneToken = collateral.address === debt.address;
  const price = isOneToken ? 1 : router.bestPrice(collateral.address, debt.address, 'sale');
  return price > 0 ? usd8(Number(collateralSeized) * price - Number(debtToFund) * owed, debt) : 0;
}

function usd8(amount: number, { decimals, priceUsd8 }: Priced): number {
  return (amount * Number(priceUsd8)) / Number(unitOf(decimals));
}
