import { refusalOf, type Allowance } from './budget.js';
import type { Spend } from './spend.js';
import { rejected, type Rejection } from './decision.js';
import { min } from './money.js';

export type SafetyState = 'NORMAL' | 'THROTTLED' | 'HALTED';

export interface SafetyStatus {
  readonly state: SafetyState;
  readonly reason: string;
  /** Who caused the present state: an API key's name, or "chimera". */
  readonly actor: string;
  readonly consecutiveFailures: number;
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
}

export interface SafetyLimits {
  readonly maxSingleExecutionUsd8: bigint;
  readonly maxDailyVolumeUsd8: bigint;
  readonly maxConsecutiveFailures: number;
  readonly minOperatorBalanceWei: bigint;
}

export type SafetyEvent =
  | { readonly kind: 'execution-succeeded' }
  | { readonly kind: 'execution-failed'; readonly reason: string }
  /**
   * A reorg took back the outcome of an execution. `failures`: by how much that outcome had changed the
   * count.
   */
  | { readonly kind: 'outcome-taken-back'; readonly failures: number }
  /** Something outside the bot is unhealthy, for example the sequencer. */
  | { readonly kind: 'throttle'; readonly reason: string }
  /** It is healthy again. */
  | { readonly kind: 'unthrottle'; readonly reason: string }
  | { readonly kind: 'halt'; readonly reason: string; readonly actor: string }
  | { readonly kind: 'resume'; readonly reason: string; readonly actor: string };

export const INITIAL_SAFETY: Omit<SafetyStatus, 'sinceMs'> = {
  state: 'NORMAL',
  reason: 'first start',
  actor: 'chimera',
  consecutiveFailures: 0,
};

/**
 * The safety state machine. A failure throttles: one transaction in flight at a time.
 * `maxConsecutiveFailures` in a row halt. A success clears the count and the throttle. `unthrottle` clears a
 * throttle without a failure; it does not clear the throttle of a failure. An outcome that is taken back
 * restores the count from before it. Only `resume` leaves HALTED.
 */
export function nextSafety(
  status: SafetyStatus,
  event: SafetyEvent,
  limits: Pick<SafetyLimits, 'maxConsecutiveFailures'>,
  nowMs: number,
): SafetyStatus {
  const to = (
    state: SafetyState,
    reason: string,
    actor: string,
    consecutiveFailures: number,
  ): SafetyStatus =>
    state === status.state
      ? { ...status, consecutiveFailures }
      : { state, reason, actor, consecutiveFailures, sinceMs: nowMs };

  switch (event.kind) {
    case 'halt':
      return to('HALTED', event.reason, event.actor, status.consecutiveFailures);
    case 'resume':
      return to('NORMAL', event.reason, event.actor, 0);
    case 'execution-succeeded':
      if (status.state === 'HALTED') return { ...status, consecutiveFailures: 0 };
      return to('NORMAL', 'an execution succeeded', 'chimera', 0);
    case 'execution-failed': {
      const failures = status.consecutiveFailures + 1;
      if (status.state === 'HALTED') return { ...status, consecutiveFailures: failures };
      if (failures >= limits.maxConsecutiveFailures)
        return to(
          'HALTED',
          `${failures} executions failed in a row, the last: ${event.reason}`,
          'chimera',
          failures,
        );
      const throttled = to('THROTTLED', event.reason, 'chimera', failures);
      // The first failure outlasts an earlier throttle, so it becomes the reason.
      return failures === 1 ? { ...throttled, reason: event.reason } : throttled;
    }
    case 'outcome-taken-back': {
      // A resume may have cleared the count in the meantime.
      const failures = Math.max(0, status.consecutiveFailures - event.failures);
      if (status.state === 'HALTED' || failures === status.consecutiveFailures)
        return { ...status, consecutiveFailures: failures };
      return failures === 0
        ? to('NORMAL', 'a reorg took the failure back', 'chimera', 0)
        : to('THROTTLED', 'a reorg took the success after a failure back', 'chimera', failures);
    }
    case 'throttle':
      return status.state === 'HALTED'
        ? status
        : to('THROTTLED', event.reason, 'chimera', status.consecutiveFailures);
    case 'unthrottle':
      return status.state === 'THROTTLED' && status.consecutiveFailures === 0
        ? to('NORMAL', event.reason, 'chimera', 0)
        : status;
  }
}

/** What the limits count of a plan. */
export interface SafetyIntent {
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

/** Whether this intent may be signed now. The first rule that refuses it gives the reason. */
export function authorise(
  { notionalUsd8, reservation }: SafetyIntent,
  state: SafetyState,
  usage: SafetyUsage,
  limits: SafetyLimits,
): { readonly kind: 'authorised' } | Rejection {
  if (state === 'HALTED') return rejected('halted');
  if (state === 'THROTTLED' && usage.inFlight > 0)
    return rejected('throttled', { inFlight: String(usage.inFlight) });
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
export function notionalHeadroomUsd8(dailyVolumeUsd8: bigint, limits: SafetyLimits): bigint {
  const left = limits.maxDailyVolumeUsd8 - dailyVolumeUsd8;
  return left <= 0n ? 0n : min(limits.maxSingleExecutionUsd8, left);
}

/** The UTC day that an instant belongs to, as YYYY-MM-DD: the key under which volume is booked. */
export function utcDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
