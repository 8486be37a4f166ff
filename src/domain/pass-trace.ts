import type { Block, Head } from './block.js';
import type { Clock } from './clock.js';

/**
 * The stages from a head to the receipt, in their order. The last one is passed once for each transaction.
 *
 * - logs: the logs since the last block, and what is asked at the head, were read.
 * - state: every position is at the head.
 * - detect: the positions below 1 are known.
 * - plan: amounts and routes were computed, and drafts were made of them.
 * - prove: the drafts were simulated.
 * - record: the signed transactions are durable.
 * - send: they were handed over.
 * - mined: its receipt counts.
 */
export const STAGES = ['logs', 'state', 'detect', 'plan', 'prove', 'record', 'send', 'mined'] as const;
export type Stage = (typeof STAGES)[number];

/** How long a stage took. */
export interface StageTime {
  readonly stage: Stage;
  readonly ms: number;
}

/** After this long everything else gets its turn: heads, answers, the API. Milliseconds. */
const SLICE_MS = 8;

/**
 * When one pass of the loop began, how long its stages took, how much it may work, and which head has come
 * since. The age of its plans is measured from there.
 */
export class PassTrace {
  private readonly taken: StageTime[] = [];
  private markedAtMs: number;
  private readonly busyAtStartMs: number;
  private readonly cpuAtStartMs: number;
  private sliceBeganMs: number;

  /**
   * @param headReceivedAtMs when the head of the pass arrived: monotonic milliseconds of the same clock.
   * @param newerHead the head that waits for the next pass.
   * @param budgetMs for how long the event loop may work for the pass: with it, and beside it.
   */
  constructor(
    private readonly clock: Clock,
    private readonly headReceivedAtMs: number,
    private readonly newerHead: () => Head | undefined = () => undefined,
    private readonly budgetMs = Infinity,
  ) {
    this.markedAtMs = headReceivedAtMs;
    this.busyAtStartMs = clock.busyMs();
    this.cpuAtStartMs = clock.cpuMs();
    this.sliceBeganMs = clock.monotonicMs();
  }

  /** For work after the pass, until the next head. It has no part in the stages. */
  beside(): PassTrace {
    return new PassTrace(this.clock, this.headReceivedAtMs, this.newerHead, this.budgetMs);
  }

  /** Milliseconds since the head arrived, with fractions. Never negative. */
  sinceHeadMs(): number {
    return Math.max(0, this.clock.monotonicMs() - this.headReceivedAtMs);
  }

  /** Milliseconds that the process has computed since the pass began, on all its threads. */
  cpuMs(): number {
    return this.clock.cpuMs() - this.cpuAtStartMs;
  }

  /**
   * A stage is over: it took the time since the one before it. Of several lists of plans the first counts.
   *
   * @param atMs monotonic; default: now.
   */
  mark(stage: Stage, atMs: number = this.clock.monotonicMs()): void {
    if (this.taken.some((one) => one.stage === stage)) return;
    this.taken.push({ stage, ms: Math.max(0, atMs - this.markedAtMs) });
    this.markedAtMs = atMs;
  }

  /** The stages so far, in the order in which they ended. */
  get stages(): readonly StageTime[] {
    return this.taken;
  }

  /** Whether the pass has worked for as long as it may. What is left is for the next one. */
  get isWorkedOut(): boolean {
    return this.clock.busyMs() - this.busyAtStartMs >= this.budgetMs;
  }

  /** Whether a head waits for the next pass. */
  get hasNewerHead(): boolean {
    return this.newerHead() !== undefined;
  }

  /**
   * To be called now and then within long work. It gives everything else its turn when some milliseconds have
   * passed without one.
   */
  async breathe(): Promise<void> {
    if (this.clock.monotonicMs() - this.sliceBeganMs < SLICE_MS) return;
    await this.clock.nextTurn();
    this.sliceBeganMs = this.clock.monotonicMs();
  }

  /** Whether a newer head shows that this block is no longer in the chain: it stands in its place. */
  replaces({ number, hash }: Pick<Block, 'number' | 'hash'>): boolean {
    const newer = this.newerHead();
    if (newer?.number === number) return newer.hash !== hash;
    return newer?.number === number + 1 && newer.parentHash !== hash;
  }
}
