import type { Block } from '../domain/block.js';
import type { Clock } from '../domain/clock.js';
import { HaltError, messageOf } from '../domain/errors.js';

/** When the blocks before a head cannot be read for longer than this, something is wrong. */
const UNFILLED_GAP_MS = 30_000;

/** Halts when no endpoint gives the blocks between the state and the head for too long. */
export class OpenGap {
  private sinceMs: number | undefined;

  constructor(private readonly clock: Clock) {}

  /**
   * Runs an attempt to move the state to `head`.
   *
   * @param tip the block that was applied last.
   * @throws HaltError instead of the attempt's error, when blocks between the two have been missing for 30 s.
   */
  async watch<T>(head: Block, tip: () => Block, attempt: () => Promise<T>): Promise<T> {
    try {
      const result = await attempt();
      this.sinceMs = undefined;
      return result;
    } catch (error) {
      // The cause does not matter: a state that stops without a report is worse than a halt.
      if (error instanceof HaltError || head.number <= tip().number + 1) throw error;
      const nowMs = this.clock.monotonicMs();
      this.sinceMs ??= nowMs;
      if (nowMs - this.sinceMs <= UNFILLED_GAP_MS) throw error;
      this.sinceMs = undefined;
      throw new HaltError(
        `the gap between block ${tip().number} and block ${head.number} could not be filled for ${UNFILLED_GAP_MS / 1000} s: ${messageOf(error)}`,
        'rpc',
      );
    }
  }
}
