import type { Hash, Hex } from './hex.js';

/** The block that one decision is pinned to: every read, quote and simulation of a pass names this hash. */
export interface Block {
  readonly number: number;
  readonly hash: Hash;
  readonly parentHash: Hash;
  /** Seconds since the epoch, as the block says. */
  readonly timestamp: number;
  /** Wei per gas. */
  readonly baseFeePerGas: bigint;
  /** Of all transactions together. Undefined when the node does not give it. */
  readonly gasLimit?: bigint | undefined;
  /**
   * The bloom filter over every address and topic of the block's logs: 256 bytes. Undefined when the node
   * does not give it.
   */
  readonly logsBloom?: Hex | undefined;
}

export interface Head extends Block {
  /** When this process saw it: monotonic milliseconds of the Clock, for latencies only. */
  readonly receivedAtMs: number;
}
