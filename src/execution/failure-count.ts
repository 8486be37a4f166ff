import type { Hash } from '../domain/hex.js';
import type { Verdict } from '../domain/outcome.js';
import type { SafetyController } from '../safety/index.js';
import type { InFlight } from './in-flight.js';

/**
 * How outcomes change the count of failures: a win clears it, and the first malfunction of a block raises it.
 * All else leaves it as it is. A reorg takes back the malfunctions of a block together: the count is then as
 * before.
 */
export class FailureCount {
  /** The block of the last malfunction that was counted. Blocks are settled in the order of the nonces. */
  private failedBlock: Hash | undefined;

  constructor(private readonly safety: SafetyController) {}

  /** Changes it once for each transaction, however often this is called. */
  async count(transaction: InFlight, { outcome, reason = '' }: Verdict, block: Hash): Promise<void> {
    if (transaction.failures !== undefined) return;
    if (outcome === 'won') {
      transaction.failures = -this.safety.status().consecutiveFailures;
      await this.safety.recordSuccess();
    } else if (outcome === 'malfunction' && block !== this.failedBlock) {
      this.failedBlock = block;
      transaction.failures = 1;
      await this.safety.recordFailure(reason);
    } else transaction.failures = 0;
  }

  /** A reorg took outcomes back. The same block may come back too, and counts then once more. */
  takenBack(): void {
    this.failedBlock = undefined;
  }
}
