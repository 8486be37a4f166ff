import type { Clock } from '../domain/clock.js';
import type { Events } from '../domain/events/events.js';
import type { EachEndpoint } from './each-endpoint.js';
import type { Wallet } from './wallet.js';

/**
 * When only one endpoint answers, it must say for so long that there are transactions which our rows do not
 * explain.
 */
const CLAIM_SECONDS = 5;

/** What is believed of the transaction count of the wallet. */
export interface CountBelief {
  /** What the endpoints that answered count at least: the count to go by. */
  readonly lowest: number;
  /** What they count at most. */
  readonly highest: number;
  /** Transactions of our key that no row explains, proved by all endpoints, or by one for some seconds. */
  readonly foreign: number;
}

/**
 * Weighs what endpoints say about the number of our transactions. A count that our rows explain is taken as
 * it is. Any other is a claim: all endpoints are asked, and the wallet signs nothing with a new nonce until
 * it is clear. So no single answer moves the lane of nonces.
 */
export class CountEvidence {
  private claimedSinceMs: number | undefined;
  private disputed = false;

  constructor(
    private readonly each: EachEndpoint,
    private readonly wallet: Wallet,
    private readonly events: Events,
    private readonly clock: Clock,
  ) {}

  /**
   * @param count as one endpoint answered it.
   * @param contradicts whether it differs from the rows in another way, so that the others are asked.
   */
  async weigh(count: number, contradicts: boolean): Promise<CountBelief> {
    const { lane } = this.wallet;
    if (!contradicts && lane.explains(count)) {
      this.clear();
      return { lowest: count, highest: count, foreign: 0 };
    }
    const heard = await this.each.counts(this.wallet.address);
    const counts = heard.length > 0 ? heard : [count];
    const lowest = Math.min(...counts);
    const highest = Math.max(...counts);
    if (lane.explains(lowest)) {
      this.clear(lowest !== highest);
      if (lowest !== highest) this.dispute(lowest, highest);
      return { lowest, highest, foreign: 0 };
    }
    const believed = counts.length > 1 ? this.agree(lowest, highest) : this.claimIsOld();
    if (!believed) {
      lane.question(true);
      return { lowest, highest, foreign: 0 };
    }
    this.clear();
    return { lowest, highest, foreign: lane.adopt(lowest) };
  }

  /** Both say that there are more than our rows explain; by how many they may differ for a block. */
  private agree(lowest: number, highest: number): boolean {
    if (lowest !== highest) this.dispute(lowest, highest);
    return lowest === highest || this.claimIsOld();
  }

  private claimIsOld(): boolean {
    const nowMs = this.clock.monotonicMs();
    this.claimedSinceMs ??= nowMs;
    return nowMs - this.claimedSinceMs >= CLAIM_SECONDS * 1_000;
  }

  private clear(disputed = false): void {
    this.claimedSinceMs = undefined;
    this.disputed &&= disputed;
    this.wallet.lane.question(false);
  }

  private dispute(lowest: number, highest: number): void {
    if (this.disputed) return;
    this.disputed = true;
    this.events.emit({ event: 'transaction-count-disputed', lowest, highest });
  }
}
