import {
  allowanceOf,
  type Allowance,
  type Pace,
  type Spending,
  type SpendingLimits,
  type SpendingUsage,
} from '../../src/domain/budget.js';
import { NO_SPEND } from '../../src/domain/spend.js';

const ETHER = 10n ** 18n;

/** As if nothing had ever been lost. */
export const FULL_PACE: Pace = { maxInFlight: Number.MAX_SAFE_INTEGER, bidShareBps: 10_000 };

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

/** Of the default limits, with a transaction in flight that may cost 0.01 ether or $25. */
export function aSpending(): Spending {
  const limits = {
    maxFeePerTransactionWei: ETHER / 20n,
    maxDailyFeeWei: ETHER / 5n,
    maxDailyLossUsd8: 50n * 10n ** 8n,
    maxWalletShareBps: 5_000,
  };
  const spent = { feeWei: ETHER / 1_000n, lossUsd8: 10n ** 8n };
  const reserved = { feeWei: ETHER / 100n, lossUsd8: 25n * 10n ** 8n };
  return { limits, spent, reserved, left: allowanceOf(limits, aUsage({ spent, reserved, inFlight: 1 })) };
}
