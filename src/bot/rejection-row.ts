import type { NewExecution } from '../database/index.js';
import type { Attempt, Rejection } from '../domain/decision.js';
import type { Opportunity } from '../domain/opportunity.js';
import { executionRow, type RowOwner } from '../execution/index.js';

/**
 * The row of an opportunity that was simulated and refused. When the call reverted, its profit is not known.
 */
export function rejectionRow(
  opportunity: Opportunity,
  attempt: Attempt,
  { reason, detail }: Rejection,
  owner: RowOwner,
): NewExecution {
  if ('simulation' in attempt) return executionRow(attempt, owner, 'rejected', { reason });
  const { protocol, borrower, block, healthFactorWad } = opportunity;
  return {
    protocol,
    borrower,
    marketId: opportunity.marketId ?? null,
    blockNumber: block.number,
    blockHash: block.hash,
    healthFactorWad,
    collateralAsset: attempt.collateral.address,
    debtAsset: attempt.debt.address,
    debtToCover: attempt.debtToCover,
    expectedCollateral: attempt.collateralSeized,
    simulatedProfitUsd8: null,
    gasCostUsd8: null,
    l1FeeUsd8: null,
    operatorFeeUsd8: null,
    poolFeeUsd8: null,
    bidUsd8: null,
    simulatedNetProfitUsd8: null,
    notionalUsd8: null,
    ...owner,
    status: 'rejected',
    reason,
    plan: { candidate: attempt, detail },
  };
}
