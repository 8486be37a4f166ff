import type { Address } from '../../domain/hex.js';
import type { RawLog, TopicFilter } from '../chain/chain-answers.js';
import type { AdaptiveSize } from '../endpoints/adaptive-size.js';

/** Blocks by number, both ends included. */
export interface BlockRange {
  readonly fromBlock: number;
  readonly toBlock: number;
}

/** The logs of the first blocks of a range: all of them up to and including `upTo`. */
export interface FoundLogs {
  readonly logs: readonly RawLog[];
  /** Below `fromBlock` when it gave nothing. */
  readonly upTo: number;
}

/** A source of old logs beside the nodes. What it does not give, a node is asked for. */
export interface LogHistory {
  /** How many blocks it serves at once; undefined while it is not to be asked. */
  span(): AdaptiveSize | undefined;
  /** What it gave was not all: it is not asked any more. */
  distrust(reason: string): void;
  /**
   * @param addresses no address means any address.
   * @returns undefined when it failed. Never throws.
   */
  read(range: BlockRange, addresses: readonly Address[], topics: TopicFilter): Promise<FoundLogs | undefined>;
}
