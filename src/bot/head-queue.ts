import { windowBlocks, type ChainDescription } from '../domain/chain-description.js';
import type { Clock } from '../domain/clock.js';
import type { Head } from '../domain/block.js';
import type { Hash } from '../domain/hex.js';

/** For how long heads far below our own block are ignored. */
const FAR_BEHIND_MS = 60_000;

/** The block that the state is at; without its hash when a head of this very block is welcome again. */
export interface OwnBlock {
  readonly number: number;
  readonly hash: Hash | undefined;
}

/**
 * The heads that wait for a pass: at most one, the newest. A decision on an older head would use old data.
 *
 * A head far below our own block comes from a node that fell behind or from a very deep reorg. The two look
 * the same, but a late node does not stay late. So such heads count only after a minute without any other
 * head.
 */
export class HeadQueue {
  private waiting: Head | undefined;
  private farBehindSinceMs: number | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly blockTime: Pick<ChainDescription, 'blockTimeMs'>,
  ) {}

  /** @param own undefined before the first view. @returns whether the head waits now. */
  offer(head: Head, own: OwnBlock | undefined): boolean {
    if (head.hash === own?.hash) return false;
    if (this.waiting && head.number < this.waiting.number) return false; // An old answer that came late.
    if (this.isFarBehind(head, own)) return false;
    this.waiting = head;
    return true;
  }

  /** The head to work on next. */
  take(): Head | undefined {
    const head = this.waiting;
    this.waiting = undefined;
    return head;
  }

  /** The head that {@link take} would give. */
  get newest(): Head | undefined {
    return this.waiting;
  }

  clear(): void {
    this.waiting = undefined;
  }

  private isFarBehind({ number }: Head, own: OwnBlock | undefined): boolean {
    if ((own?.number ?? 0) - number <= windowBlocks('lateNode', this.blockTime)) {
      this.farBehindSinceMs = undefined;
      return false;
    }
    const nowMs = this.clock.monotonicMs();
    this.farBehindSinceMs ??= nowMs;
    return nowMs - this.farBehindSinceMs < FAR_BEHIND_MS;
  }
}
