import type { AtRisk } from '../domain/at-risk.js';
import type { Rejection } from '../domain/decision.js';
import type { Address } from '../domain/hex.js';

/** A position with a health factor below 1 that is left alone, and why. */
export interface SkippedPosition {
  readonly protocol: string;
  readonly borrower: Address;
  readonly healthFactorWad: bigint | undefined;
  readonly rejection: Rejection;
}

/** Positions that one pass did not look at, and why they wait. */
export interface LeftPositions {
  readonly rejection: Rejection;
  readonly positions: readonly AtRisk[];
}
