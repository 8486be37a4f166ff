import type { Rejection } from '../domain/decision.js';
import type { Hash } from '../domain/hex.js';
import type { PassTrace } from '../domain/pass-trace.js';
import type { LiquidationPlan } from '../domain/plan.js';

/** A plan to carry out. */
export interface Intent {
  readonly plan: LiquidationPlan;
  /** Of its row in the table executions, in status `planned`. */
  readonly executionId: string;
  /** Of the pass that made the plan: for the time from head to hand-over. */
  readonly trace: PassTrace;
}

/** What came of an intent. Each kind is told by an event too, except the rejection. */
export type Submission =
  /**
   * It is durable and was handed over. An `execution-settled` event tells later whether it was mined, and
   * what it brought.
   */
  | {
      readonly kind: 'submitted';
      readonly hash: Hash;
      readonly nonce: number;
      /** A node has confirmed that it has it. Otherwise it is handed over again until its fate is known. */
      readonly accepted: boolean;
    }
  | { readonly kind: 'dry-run' }
  /** Nothing was sent. */
  | Rejection
  /** It was signed, and every node refused it. */
  | { readonly kind: 'dropped'; readonly hash: Hash; readonly reason: string };
