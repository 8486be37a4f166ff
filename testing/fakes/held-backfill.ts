import { Backfill, type BackfillTarget } from '../../src/state/backfill.js';

/**
 * Searches only when a test calls for it, so that the test can first check what a start knows without a
 * search.
 */
export class HeldBackfill extends Backfill {
  /** The markets that the engine gave it. */
  served: readonly BackfillTarget[] = [];

  override serve(targets: readonly BackfillTarget[]): void {
    this.served = targets;
    super.serve(targets);
  }

  override wake(): void {
    // Waits for release().
  }

  /** Searches until nothing is left. */
  async release(): Promise<void> {
    super.wake();
    await this.idle();
  }
}
