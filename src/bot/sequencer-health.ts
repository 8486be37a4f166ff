import type { Block } from '../domain/block.js';
import { secondsInBlocks, windowBlocks, type ChainDescription } from '../domain/chain-description.js';
import type { Hash } from '../domain/hex.js';

export interface SequencerLimits {
  /** The longest time from one block to the next. */
  readonly maxTimestampJumpSeconds: number;
  /** Above this age of the newest head the bot is throttled. */
  readonly maxHeadAgeSeconds: number;
  /** Above this age of the newest head the bot is halted. */
  readonly haltHeadAgeSeconds: number;
}

export interface SequencerAnomaly {
  readonly kind: 'timestamp-backwards' | 'timestamp-jump' | 'stale-head';
  readonly severity: 'throttle' | 'halt';
  /** One sentence: what was seen, and what was expected. */
  readonly message: string;
  /** The blocks whose times were compared. */
  readonly blocks: readonly BlockTime[];
}

export type BlockTime = Pick<Block, 'number' | 'hash' | 'parentHash' | 'timestamp'>;

/** A head whose time is further ahead than this is a wrong answer of a node. */
const FURTHEST_STEP_SECONDS = 5 * 24 * 3600;

/**
 * Checks that the sequencer makes blocks as usual. A head is compared with the head before it on its branch.
 * Over a gap, the mean time of the missing blocks counts. Blocks that share a timestamp are normal: five
 * blocks of 200 ms make a second.
 *
 * A pause of our own process (suspended or restarted) is not a pause of the chain. So the arrival time of a
 * head does not count: after a pause, all its heads may arrive at once from a buffer. The age of the newest
 * head is checked only after a node has answered, for the moment at which the node was asked. So a pause
 * before the question ends with a fresh head, and a pause between question and answer does not count.
 */
export class SequencerHealth {
  private readonly recent = new Map<Hash, BlockTime>();
  private newest: BlockTime | undefined;
  private newSinceMs = 0;

  constructor(
    private readonly limits: SequencerLimits,
    private readonly chain: Pick<ChainDescription, 'blockTimeMs'>,
  ) {}

  /**
   * Takes a head from any source, in any order. A known head changes nothing.
   *
   * @param nowMs milliseconds since the epoch.
   * @returns what is wrong between this head and the head before it; undefined when nothing is, for the first
   *   head, and for a head on another branch whose parent was not seen.
   */
  head(head: BlockTime, nowMs: number): SequencerAnomaly | undefined {
    if (this.recent.has(head.hash)) return undefined;
    if (this.newest && head.number > this.newest.number + secondsInBlocks(FURTHEST_STEP_SECONDS, this.chain))
      return undefined;
    const before = this.predecessorOf(head);
    this.remember(head);
    this.newSinceMs = nowMs;
    if (!this.newest || head.number >= this.newest.number) this.newest = head;
    return before && this.judgeStep(before, head);
  }

  /**
   * Checks the age of the newest head.
   *
   * @param askedAtMs when a node was asked for its latest block; the answer was given to {@link head}.
   *   Milliseconds since the epoch. A chain whose clock is ahead of ours has no old head, but it may still be
   *   silent.
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
      blocks: [],
    };
  }

  /** The chain has no such block: no head is compared with it any more. */
  forget(hash: Hash): void {
    this.recent.delete(hash);
    if (this.newest?.hash !== hash) return;
    this.newest = [...this.recent.values()].reduce<BlockTime | undefined>(
      (best, one) => (best && best.number > one.number ? best : one),
      undefined,
    );
  }

  /** The parent, or over a gap the newest head before it. */
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
        blocks: [before, head],
      };
    const { maxTimestampJumpSeconds } = this.limits;
    if (step > maxTimestampJumpSeconds * blocks)
      return {
        kind: 'timestamp-jump',
        severity: 'halt',
        message:
          `the time of the chain jumped by ${step} s ${between}; ` +
          `at most ${maxTimestampJumpSeconds} s a block was expected`,
        blocks: [before, head],
      };
    return undefined;
  }

  private remember(head: BlockTime): void {
    this.recent.set(head.hash, head);
    const [oldest] = this.recent.keys();
    // The parent of a head is looked up among this many heads. A deeper reorg halts the bot elsewhere.
    if (this.recent.size > windowBlocks('lateNode', this.chain) && oldest !== undefined)
      this.recent.delete(oldest);
  }
}

/** For display only. */
function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
