import {
  FULL_PACE,
  type Allowance,
  type SpendingLimits,
  type SpendingUsage,
} from '../../src/domain/budget.js';
import { NO_SPEND } from '../../src/domain/spend.js';

const ETHER = 10n ** 18n;

/** So much that no plan of a test reaches it. */
export const WIDE_LIMITS: SpendingLimits = {
  maxFeePerTransactionWei: 1_000_000n * ETHER,
  maxDailyFeeWei: 1_000_000n * ETHER,
  maxDailyLossUsd8: 10n ** 20n,
  maxWalletShareBps: 10_000,
};

export function anAllowance(more: Partial<Allowance> = {}): Allowance {
  return {
    perTransactionWei: WIDE_LIMITS.maxFeePerTransactionWei,
    nodeCapWei: undefined,
    dayWei: WIDE_LIMITS.maxDailyFeeWei,
    walletWei: 1_000_000n * ETHER,
    lossUsd8: WIDE_LIMITS.maxDailyLossUsd8,
    slots: FULL_PACE.maxInFlight,
    bidShareBps: FULL_PACE.bidShareBps,
    ...more,
  };
}

/** A wallet of half an ether that has spent nothing. */
export function aUsage(more: Partial<SpendingUsage> = {}): SpendingUsage {
  return {
    spent: NO_SPEND,
    reserved: NO_SPEND,
    inFlight: 0,
    balanceWei: ETHER / 2n,
    nodeCapWei: undefined,
    pace: FULL_PACE,
    ...more,
  };
}
