import type { Block } from '../domain/block.js';
import type { Hash } from '../domain/hex.js';

export interface SequencerLimits {
  /** Longest step of the time from one block to the next. */
  readonly maxTimestampJumpSeconds: number;
  /** Age of the newest head above which we go slowly … */
  readonly maxHeadAgeSeconds: number;
  /** … and above which nothing is signed any more. */
  readonly haltHeadAgeSeconds: number;
}

export interface SequencerAnomaly {
  readonly kind: 'timestamp-backwards' | 'timestamp-jump' | 'stale-head';
  readonly severity: 'throttle' | 'halt';
  /** One sentence: what was seen, and what was expected. */
  readonly message: string;
}

type BlockTime = Pick<Block, 'number' | 'hash' | 'parentHash' | 'timestamp'>;

/** A sibling's parent is looked for among so many; a deeper reorg halts elsewhere. */
const REMEMBERED_HEADS = 64;
/** Five days of 200 ms blocks. */
const FURTHEST_STEP_BLOCKS = 2_000_000;

/**
 * Whether whoever makes the blocks makes them as usual. A head is judged against the one before it on its branch; a gap
 * counts by the mean of its missing blocks. Blocks that share a timestamp are normal: five of 200 ms make a second.
 *
 * Our own pauses (a suspended process, a restart) are not the chain's. Heads are therefore never judged by when they
 * come, since those of a whole pause may come at once from a buffer; their age is judged only as of the instant at which
 * a node was asked and after its answer was taken in, so that a pause before the question ends with a fresh head, and
 * one between question and answer does not count.
 */
export class SequencerHealth {
  private readonly recent = new Map<Hash, BlockTime>();
  private newest: BlockTime | undefined;
  private newSinceMs = 0;

  constructor(private readonly limits: SequencerLimits) {}

  /**
   * Takes a head in, from whatever source and in any order; one that is known changes nothing.
   *
   * @param nowMs milliseconds since the epoch.
   * @returns what is wrong between it and the one before. Nothing is said of the first head, nor of one on another
   *   branch whose parent was not seen.
   */
  head(head: BlockTime, nowMs: number): SequencerAnomaly | undefined {
    if (this.recent.has(head.hash)) return undefined;
    // A node's nonsense: no chain makes so many blocks between two looks.
    if (this.newest && head.number > this.newest.number + FURTHEST_STEP_BLOCKS) return undefined;
    const before = this.predecessorOf(head);
    this.remember(head);
    this.newSinceMs = nowMs;
    if (!this.newest || head.number >= this.newest.number) this.newest = head;
    return before && this.judgeStep(before, head);
  }

  /**
   * How fresh the newest head is.
   *
   * @param askedAtMs when a node was asked for its latest block, whose answer was given to {@link head}. Milliseconds
   *   since the epoch. A chain whose clock is ahead of ours is not old, but may be silent all the same.
   * @returns undefined when all is well.
   */
  look(askedAtMs: number): SequencerAnomaly | undefined {
    if (!this.newest) return undefined;
    const { number, timestamp } = this.newest;
    const ageMs = askedAtMs - timestamp * 1000;
    const silentMs = askedAtMs - this.newSinceMs;
    const staleMs = Math.max(ageMs, silentMs);
    const { maxHeadAgeSeconds, haltHeadAgeSeconds } = this.limits;
    if (staleMs <= maxHeadAgeSeconds * 1000) return undefined;
    const halts = staleMs > haltHeadAgeSeconds * 1000;
    return {
      kind: 'stale-head',
      severity: halts ? 'halt' : 'throttle',
      message:
        `the newest block, ${number}, is ${seconds(ageMs)} s old, and nothing new has come for ${seconds(silentMs)} s; ` +
        `at most ${halts ? haltHeadAgeSeconds : maxHeadAgeSeconds} s was expected: ` +
        'the chain stands still, all nodes lag, or the clock of this machine is ahead',
    };
  }

  /** The parent; over a gap the newest head before it. */
  private predecessorOf(head: BlockTime): BlockTime | undefined {
    const parent = this.recent.get(head.parentHash);
    if (parent) return parent;
    return this.newest && head.number > this.newest.number + 1 ? this.newest : undefined;
  }

  private judgeStep(before: BlockTime, head: BlockTime): SequencerAnomaly | undefined {
    const step = head.timestamp - before.timestamp;
    const blocks = head.number - before.number;
    const between = `from block ${before.number} to block ${head.number}`;
    if (step < 0)
      return {
        kind: 'timestamp-backwards',
        severity: 'halt',
        message: `the time of the chain went back by ${-step} s ${between}; it never should`,
      };
    const { maxTimestampJumpSeconds } = this.limits;
    if (step > maxTimestampJumpSeconds * blocks)
      return {
        kind: 'timestamp-jump',
        severity: 'halt',
        message:
          `the time of the chain jumped by ${step} s ${between}; ` +
          `at most ${maxTimestampJumpSeconds} s a block was expected`,
      };
    return undefined;
  }

  private remember(head: BlockTime): void {
    this.recent.set(head.hash, head);
    const [oldest] = this.recent.keys();
    if (this.recent.size > REMEMBERED_HEADS && oldest !== undefined) this.recent.delete(oldest);
  }
}

/** For display only. */
function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
