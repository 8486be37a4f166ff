import type { Rejection } from '../domain/decision.js';
import type { WorthOfPair } from '../domain/at-risk.js';
import type { Opportunity } from '../domain/opportunity.js';
import type { PositionId } from '../domain/position-id.js';

/** A position, before anything is known of it but its health. */
export interface Prospect extends PositionId {
  /** What it is worth at most: USD8, a float. It orders, and decides nothing. Cheap. */
  worthAtMost(worthOf: WorthOfPair): number;
}

/**
 * The positions of a pass that a plan may be made for. In a crash there are thousands: what may be done about
 * each is computed when its turn comes.
 */
export interface Prospects extends Openable {
  /** Says why those that were not opened are left. */
  leave(rest: Rejection): void;
}

export interface Openable {
  readonly all: readonly Prospect[];
  /**
   * What may be done about one of them.
   *
   * @returns undefined when it was refused. The maker of these prospects says why.
   */
  open(index: number): Opportunity | undefined;
}
