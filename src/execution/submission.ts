import type { Rejection } from '../domain/decision.js';
import type { Hash } from '../domain/hex.js';
import type { LiquidationPlan } from '../domain/plan.js';
import type { SignedTransaction } from './signer.js';

/** A plan whose call was signed. */
export interface SignedPlan {
  readonly plan: LiquidationPlan;
  readonly signed: SignedTransaction;
}

/** What came of a plan. Each kind is told by an event too, except the rejection. */
export type Submission =
  /**
   * It is durable and was handed over. An `execution-settled` event tells later whether it was mined, and
   * what it brought.
   */
  | {
      readonly kind: 'submitted';
      readonly executionId: string;
      readonly hash: Hash;
      readonly nonce: number;
      /** A node has confirmed that it has it. Otherwise it is handed over again until its fate is known. */
      readonly accepted: boolean;
    }
  /** It would have been sent. It has no row yet. With a day, YYYY-MM-DD, it was booked to it (DryBook). */
  | { readonly kind: 'dry-run'; readonly day?: string }
  /** Nothing was sent. With an id it was signed, and its row is durable. */
  | (Rejection & { readonly executionId?: string })
  /** It was signed, and every node refused it. */
  | {
      readonly kind: 'dropped';
      readonly executionId: string;
      readonly hash: Hash;
      readonly reason: string;
    };
