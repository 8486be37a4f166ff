import type { Clock } from './clock.js';

/** When one pass of the loop began. Latencies are measured from there. No decision depends on them. */
export class PassTrace {
  /** @param headReceivedAtMs when the head of the pass arrived: monotonic milliseconds of the same clock. */
  constructor(
    private readonly clock: Clock,
    private readonly headReceivedAtMs: number,
  ) {}

  /** Milliseconds since the head arrived, with fractions. Never negative. */
  sinceHeadMs(): number {
    return Math.max(0, this.clock.monotonicMs() - this.headReceivedAtMs);
  }
}
