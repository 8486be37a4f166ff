import { rejected, type Rejection } from './decision.js';
import { BPS, max } from './money.js';
import type { Spend, SpendingReason } from './spend.js';

/**
 * What the wallet may spend. A tip is paid on a revert too, so everything in flight is counted as if it paid
 * its whole fee and reverted, until its receipt says what it really paid.
 */
export interface SpendingLimits {
  readonly maxFeePerTransactionWei: bigint;
  /** Of a UTC day. Wei. */
  readonly maxDailyFeeWei: bigint;
  /** Of a UTC day. Gains are not counted against it. */
  readonly maxDailyLossUsd8: bigint;
  /** The share of the wallet that everything in flight may reserve together. */
  readonly maxWalletShareBps: number;
}

/** How carefully the bot goes on after losses. */
export interface Pace {
  readonly maxInFlight: number;
  /** The share of each bid that is offered. */
  readonly bidShareBps: number;
}

/** What counts against the limits now. */
export interface SpendingUsage {
  /** By receipts that were settled in the present UTC day. */
  readonly spent: Spend;
  /** By everything in flight, whatever day it was signed. */
  readonly reserved: Spend;
  readonly inFlight: number;
  readonly balanceWei: bigint;
  /** The most that the nodes take for one transaction, once they refused a higher one. */
  readonly nodeCapWei: bigint | undefined;
  readonly pace: Pace;
}

/** What may be reserved now. Never negative. */
export interface Allowance {
  /** By one transaction. */
  readonly perTransactionWei: bigint;
  /** By one transaction, as the nodes want it. */
  readonly nodeCapWei: bigint | undefined;
  /** Of the UTC day. */
  readonly dayWei: bigint;
  /** Of the share of the wallet. */
  readonly walletWei: bigint;
  /** Of the losses of the UTC day. */
  readonly lossUsd8: bigint;
  /** How many more transactions may be in flight. */
  readonly slots: number;
  readonly bidShareBps: number;
}

/** The limits and what is used of them, for people. */
export interface Spending extends Pick<SpendingUsage, 'spent' | 'reserved'> {
  readonly limits: SpendingLimits;
  readonly left: Allowance;
}

export function allowanceOf(limits: SpendingLimits, usage: SpendingUsage): Allowance {
  const { spent, reserved, inFlight, balanceWei, nodeCapWei, pace } = usage;
  const walletShareWei = (balanceWei * BigInt(limits.maxWalletShareBps)) / BPS;
  return {
    perTransactionWei: limits.maxFeePerTransactionWei,
    nodeCapWei,
    dayWei: max(0n, limits.maxDailyFeeWei - spent.feeWei - reserved.feeWei),
    walletWei: max(0n, walletShareWei - reserved.feeWei),
    lossUsd8: max(0n, limits.maxDailyLossUsd8 - spent.lossUsd8 - reserved.lossUsd8),
    slots: Math.max(0, pace.maxInFlight - inFlight),
    bidShareBps: pace.bidShareBps,
  };
}

/** Why this may not be reserved now: the first limit that it exceeds. */
export function refusalOf({ feeWei, lossUsd8 }: Spend, allowance: Allowance): Rejection | undefined {
  const { perTransactionWei, nodeCapWei, dayWei, walletWei } = allowance;
  const fee = (reason: SpendingReason, leftWei: bigint): Rejection =>
    rejected(reason, { feeWei: String(feeWei), leftWei: String(leftWei) });
  if (feeWei > perTransactionWei) return fee('fee-above-limit', perTransactionWei);
  if (nodeCapWei !== undefined && feeWei > nodeCapWei) return fee('fee-above-node-cap', nodeCapWei);
  if (feeWei > dayWei) return fee('daily-fee-reached', dayWei);
  if (lossUsd8 > allowance.lossUsd8)
    return rejected('daily-loss-reached', {
      lossUsd8: String(lossUsd8),
      leftUsd8: String(allowance.lossUsd8),
    });
  if (feeWei > walletWei) return fee('wallet-share-reached', walletWei);
  if (allowance.slots <= 0) return rejected('in-flight-limit');
  return undefined;
}

/** What is left when this is reserved. */
export function after(allowance: Allowance, { feeWei, lossUsd8 }: Spend): Allowance {
  return {
    ...allowance,
    dayWei: max(0n, allowance.dayWei - feeWei),
    walletWei: max(0n, allowance.walletWei - feeWei),
    lossUsd8: max(0n, allowance.lossUsd8 - lossUsd8),
    slots: Math.max(0, allowance.slots - 1),
  };
}
