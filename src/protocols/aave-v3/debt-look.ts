import type { DebtLook } from '../../contract/plan.js';
import type { SizingTerms } from '../../domain/opportunity.js';
import { isAaveV3 } from './liquidation.js';
import { borrowIndexAt } from './market.js';

const RAY = 10n ** 27n;

/**
 * The look that ends a lost race: the scaled debt of the pair, less half of what the plan covers. A rival who
 * was first took about as much as the plan wants, and leaves less. A borrower who repays a little leaves
 * more. Rounded down.
 *
 * @param debtToCover debt token units.
 * @throws TypeError when the terms are of another family.
 */
export function debtLook(terms: SizingTerms, debtToCover: bigint): DebtLook {
  if (!isAaveV3(terms)) throw new TypeError(`"${terms.kind}" are not the terms of an Aave v3 liquidation`);
  const { reserve, debt } = terms.debt;
  const rest = debt - (debtToCover < debt ? debtToCover : debt) / 2n;
  const least = (rest * RAY) / borrowIndexAt(reserve.indexes, terms.timestamp);
  return { debtToken: reserve.variableDebtToken, least };
}
