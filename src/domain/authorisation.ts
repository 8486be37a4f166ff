import { refusalOf, type Allowance } from './budget.js';
import { rejected, type Rejection } from './decision.js';
import { min } from './money.js';
import type { PositionId } from './position-id.js';
import type { SafetyState } from './safety.js';
import type { Spend } from './spend.js';

export interface SafetyLimits {
  readonly maxSingleExecutionUsd8: bigint;
  readonly maxDailyVolumeUsd8: bigint;
  readonly maxConsecutiveFailures: number;
  readonly minOperatorBalanceWei: bigint;
  /** While THROTTLED: transactions that may be in flight at a time. */
  readonly throttledInFlight: number;
  /** While THROTTLED: the share of positions that is left alone. */
  readonly throttledSkipBps: number;
}

/** What the limits count of a plan. */
export interface SafetyIntent extends PositionId {
  /** The configured name of the market. */
  readonly protocol?: string;
  readonly netProfitUsd8?: bigint;
  readonly notionalUsd8: bigint;
  readonly reservation: Spend;
}

/** What the authorisation checks besides the plan. */
export interface SafetyUsage {
  /** USD8 of debt covered or in flight in the present UTC day. */
  readonly dailyVolumeUsd8: bigint;
  readonly inFlight: number;
  readonly operatorBalanceWei: bigint;
  /** What may be reserved beside what is in flight. */
  readonly allowance: Allowance;
}

/**
 * Whether this intent may be signed now. The first rule that refuses it gives the reason.
 *
 * @param leftAlone whether the position is of the share that is left alone while THROTTLED. It is asked only
 *   then, and only when the intent has a place in flight.
 */
export function authorise(
  { notionalUsd8, reservation }: Pick<SafetyIntent, 'notionalUsd8' | 'reservation'>,
  state: SafetyState,
  usage: SafetyUsage,
  limits: SafetyLimits,
  leftAlone: () => boolean = () => false,
): { readonly kind: 'authorised' } | Rejection {
  if (state === 'HALTED') return rejected('halted');
  if (state === 'THROTTLED') {
    if (usage.inFlight >= limits.throttledInFlight)
      return rejected('throttled', { inFlight: String(usage.inFlight) });
    if (leftAlone()) return rejected('throttled-skip', { skipBps: String(limits.throttledSkipBps) });
  }
  if (notionalUsd8 > limits.maxSingleExecutionUsd8)
    return rejected('notional-above-limit', {
      notionalUsd8: String(notionalUsd8),
      limitUsd8: String(limits.maxSingleExecutionUsd8),
    });
  if (usage.dailyVolumeUsd8 + notionalUsd8 > limits.maxDailyVolumeUsd8)
    return rejected('daily-volume-reached', {
      notionalUsd8: String(notionalUsd8),
      usedUsd8: String(usage.dailyVolumeUsd8),
      limitUsd8: String(limits.maxDailyVolumeUsd8),
    });
  if (usage.operatorBalanceWei < limits.minOperatorBalanceWei)
    return rejected('operator-balance-low', {
      balanceWei: String(usage.operatorBalanceWei),
      limitWei: String(limits.minOperatorBalanceWei),
    });
  return refusalOf(reservation, usage.allowance) ?? { kind: 'authorised' };
}

/**
 * The most one execution may cover right now: the single limit, or what is left of the day. USD8, never
 * negative.
 */
export function notionalHeadroomUsd8(
  dailyVolumeUsd8: bigint,
  limits: Pick<SafetyLimits, 'maxDailyVolumeUsd8' | 'maxSingleExecutionUsd8'>,
): bigint {
  const left = limits.maxDailyVolumeUsd8 - dailyVolumeUsd8;
  return left <= 0n ? 0n : min(limits.maxSingleExecutionUsd8, left);
}

/** The UTC day that an instant belongs to, as YYYY-MM-DD: the key under which volume is booked. */
export function utcDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
