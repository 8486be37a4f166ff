import type { DebtLook } from '../../contract/plan.js';
import type { SizingTerms } from '../../domain/opportunity.js';
import { compoundTerms, legOf } from './liquidation.js';
import { borrowBalance } from './market.js';

/**
 * The look that ends a lost race: the debt as the market has stored it, less half of what the plan covers. A
 * rival who was first took about as much as the plan wants, and leaves less, also with the interest that it
 * booked. A borrower who repays a little leaves more. Rounded down.
 *
 * @param debtToCover units of the debt asset.
 * @throws TypeError when the terms are of another family.
 */
export function debtLook(terms: SizingTerms, debtToCover: bigint): DebtLook {
  const { position, debt: debtToken } = compoundTerms(terms);
  const debt = legOf(position, debtToken);
  const stored = borrowBalance(debt, debt.stored);
  return { debtToken, least: stored - (debtToCover < stored ? debtToCover : stored) / 2n };
}
