import type { Clock } from '../domain/clock.js';
import { BPS } from '../domain/money.js';
import { positionKey, type PositionId } from '../domain/position-id.js';

/** A position that is left alone is asked about again after this time. Milliseconds. */
const REMEMBERED_MS = 600_000;

/**
 * Which positions are left alone while THROTTLED: every other one with a share of a half. What was said of a
 * position holds for ten minutes, so that a position that was left alone is not liquidated in the next block.
 */
export class ThrottleShare {
  private readonly decided = new Map<string, { readonly leftAlone: boolean; readonly atMs: number }>();
  /** What is owed to the share: one more is left alone when it reaches the whole. */
  private owedBps = 0;

  constructor(
    private readonly skipBps: number,
    private readonly clock: Clock,
  ) {}

  leavesAlone(position: PositionId): boolean {
    const key = positionKey(position);
    const nowMs = this.clock.monotonicMs();
    for (const [known, { atMs }] of this.decided) {
      if (nowMs - atMs < REMEMBERED_MS) break;
      this.decided.delete(known);
    }
    const known = this.decided.get(key);
    if (known) return known.leftAlone;
    this.owedBps += this.skipBps;
    const leftAlone = this.owedBps >= Number(BPS);
    if (leftAlone) this.owedBps -= Number(BPS);
    this.decided.set(key, { leftAlone, atMs: nowMs });
    return leftAlone;
  }

  /** The throttle is over. */
  forget(): void {
    this.decided.clear();
    this.owedBps = 0;
  }
}
