import { Backfill, type BackfillTarget } from '../../src/state/backfill.js';

/** Searches only when a test says so, so that what a start knows by itself can be looked at first. */
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
