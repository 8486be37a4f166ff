import type { DebtLook } from '../../contract/plan.js';
import { min } from '../../domain/money.js';
import type { SizingTerms } from '../../domain/opportunity.js';
import { ownTerms } from './candidates.js';
import { toSharesDown } from './math.js';

/**
 * The look that ends a lost race: the borrow shares of the position, less half of what the plan covers. A
 * rival who was first took about as much as the plan wants, and leaves less. A borrower who repays a little
 * leaves more. Rounded down.
 *
 * @param debtToCover debt token units.
 * @throws TypeError when the terms are of another family.
 */
export function debtLook(terms: SizingTerms, debtToCover: bigint): DebtLook {
  const { marketId, totals, position } = ownTerms(terms);
  const { borrowShares } = position;
  const covered = min(toSharesDown(debtToCover, totals.borrowAssets, totals.borrowShares), borrowShares);
  return { marketId, least: borrowShares - covered / 2n };
}
