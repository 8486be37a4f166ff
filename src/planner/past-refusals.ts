import type { PlanDecision, RejectionReason } from '../domain/decision.js';
import type { Opportunity } from '../domain/opportunity.js';
import { positionKey, type PositionId } from '../domain/position-id.js';
import type { Openable } from './prospects.js';

/** As few as these are all looked at in one pass: then none has to wait for another. */
const ALL_IN_ONE_PASS = 100;

/** It was not looked at to the end. */
const NOT_YET: ReadonlySet<RejectionReason> = new Set(['comes-later', 'in-flight-limit']);

/**
 * When positions were refused last. In a crash those that were not looked at come before those that were
 * refused: otherwise some hundreds that cannot be liquidated, or that the safety state holds back, would take
 * the time of every pass.
 */
export class PastRefusals {
  /** The block of the last refusal, by position. */
  private blocks = new Map<string, number>();

  /**
   * The rank of each: 0 for what was not refused when it was looked at last, else higher the later that was.
   * What is not among them any more is forgotten. Empty: all have the same.
   */
  ranksOf(prospects: readonly PositionId[]): readonly number[] {
    if (this.blocks.size === 0) return [];
    const known = this.blocks;
    this.blocks = new Map();
    const ranks = prospects.map((one) => {
      const block = known.get(positionKey(one));
      if (block !== undefined) this.blocks.set(positionKey(one), block);
      return block ?? 0;
    });
    return prospects.length > ALL_IN_ONE_PASS ? ranks : [];
  }

  /** The same prospects. One that is refused when it is opened is noted. */
  noting(prospects: Openable, block: number): Openable {
    const open = (index: number): Opportunity | undefined => {
      const opportunity = prospects.open(index);
      const prospect = prospects.all[index];
      if (!opportunity && prospect) this.blocks.set(positionKey(prospect), block);
      return opportunity;
    };
    return { all: prospects.all, open };
  }

  note(decisions: readonly PlanDecision[], block: number): void {
    for (const decision of decisions) {
      if (decision.kind === 'planned') this.blocks.delete(positionKey(decision.plan));
      else if (!NOT_YET.has(decision.reason)) this.blocks.set(positionKey(decision.opportunity), block);
    }
  }

  /** Plans that were not allowed to be sent: planned again, they would be held again. */
  noteHeld(plans: readonly PositionId[], block: number): void {
    for (const plan of plans) this.blocks.set(positionKey(plan), block);
  }
}
