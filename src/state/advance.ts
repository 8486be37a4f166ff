import type { Hash } from '../domain/hex.js';
import type { StateView } from './state-view.js';

/** What came of one attempt to get to a head. */
export interface Advance {
  /** The state at the head; undefined when the head was not reached. */
  readonly view: StateView | undefined;
  /** The blocks that were taken back on the way, the newest first, whether or not the head was reached. */
  readonly takenBack: readonly Hash[];
  /** When the logs on the way had been read: monotonic milliseconds; undefined when none were asked for. */
  readonly readAtMs?: number | undefined;
  /**
   * What went wrong, to be acted on by its class: a RetryError when the chain could not be read, a HaltError
   * when a reorg was too deep, or a gap stayed open. Undefined when all is well.
   */
  readonly error: Error | undefined;
}
