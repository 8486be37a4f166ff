import type { Clock } from '../domain/clock.js';
import { positionKey, type PositionId } from '../domain/position-id.js';

/** A refusal that is not repeated for this long makes a new row when it comes back. */
const FORGOTTEN_AFTER_MS = 60_000;

/**
 * The refusals that have a row (F55). A position that stays refused has one row for each reason, also when
 * its reasons take turns, or when it is well for a block in between.
 */
export class RowFilter {
  private readonly lastAtMs = new Map<string, number>();

  constructor(private readonly clock: Clock) {}

  startPass(): void {
    const tooOld = this.clock.monotonicMs() - FORGOTTEN_AFTER_MS;
    for (const [key, atMs] of this.lastAtMs) if (atMs <= tooOld) this.lastAtMs.delete(key);
  }

  /** Notes a refusal. @returns whether it is to have a row. */
  isNew(position: PositionId, reason: string): boolean {
    const key = `${positionKey(position)} ${reason}`;
    const isNew = !this.lastAtMs.has(key);
    this.lastAtMs.set(key, this.clock.monotonicMs());
    return isNew;
  }
}
