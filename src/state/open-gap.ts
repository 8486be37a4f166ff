import type { Block } from '../domain/block.js';
import { HaltError, messageOf } from '../domain/errors.js';

/** For how long the blocks before a head may stay unreadable: no node forgets them for longer without something being wrong. */
const UNFILLED_GAP_MS = 30_000;

/** A gap between our block and the head that no attempt fills is an anomaly of the sequencer or of every node. */
export class OpenGap {
  private sinceMs: number | undefined;
  private upTo = -1;

  /** @param clock monotonic milliseconds. */
  constructor(private readonly clock: () => number = () => performance.now()) {}

  /** The head at which the last gap was given up: whatever contradicts the endpoints about a block up to it has had its chance. */
  get gaveUpAt(): number {
    return this.upTo;
  }

  /**
   * Runs an attempt to get to `head`.
   *
   * @param tip our block.
   * @throws HaltError instead of what the attempt threw, when blocks were missing between the two for 30 s.
   */
  async watch<T>(head: Block, tip: () => Block, attempt: () => Promise<T>): Promise<T> {
    try {
      const result = await attempt();
      this.sinceMs = undefined;
      return result;
    } catch (error) {
      // Whatever it is: a picture that stands still without a word is worse than a halt.
      if (error instanceof HaltError || head.number <= tip().number + 1) throw error;
      const nowMs = this.clock();
      this.sinceMs ??= nowMs;
      if (nowMs - this.sinceMs <= UNFILLED_GAP_MS) throw error;
      this.sinceMs = undefined;
      this.upTo = head.number;
      throw new HaltError(
        `the gap between block ${tip().number} and block ${head.number} could not be filled for ${UNFILLED_GAP_MS / 1000} s: ${messageOf(error)}`,
      );
    }
  }
}
