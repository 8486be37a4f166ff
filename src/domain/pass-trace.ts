import type { Block, Head } from './block.js';
import type { Clock } from './clock.js';

/**
 * When one pass of the loop began, and which head has come since. The age of its plans is measured from
 * there.
 */
export class PassTrace {
  /**
   * @param headReceivedAtMs when the head of the pass arrived: monotonic milliseconds of the same clock.
   * @param newerHead the head that waits for the next pass.
   */
  constructor(
    private readonly clock: Clock,
    private readonly headReceivedAtMs: number,
    private readonly newerHead: () => Head | undefined = () => undefined,
  ) {}

  /** Milliseconds since the head arrived, with fractions. Never negative. */
  sinceHeadMs(): number {
    return Math.max(0, this.clock.monotonicMs() - this.headReceivedAtMs);
  }

  /** Whether a newer head shows that this block is no longer in the chain: it stands in its place. */
  replaces({ number, hash }: Pick<Block, 'number' | 'hash'>): boolean {
    const newer = this.newerHead();
    if (newer?.number === number) return newer.hash !== hash;
    return newer?.number === number + 1 && newer.parentHash !== hash;
  }
}
