import type { AtRisk } from '../domain/at-risk.js';
import type { Rejection } from '../domain/decision.js';
import { positionIdOf, type PositionId } from '../domain/position-id.js';

/** A position with a health factor below 1 that is left alone, and why. */
export interface SkippedPosition extends PositionId {
  readonly protocol: string;
  readonly healthFactorWad: bigint | undefined;
  readonly rejection: Rejection;
}

export function skippedFor(position: AtRisk, rejection: Rejection): SkippedPosition {
  const { protocol, healthFactorWad } = position;
  return { protocol, ...positionIdOf(position), healthFactorWad, rejection };
}

/** Positions that one pass did not look at, and why they wait. */
export interface LeftPositions {
  readonly rejection: Rejection;
  readonly positions: readonly AtRisk[];
}
