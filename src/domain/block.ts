import type { Hash } from './hex.js';

/** The block that one decision is pinned to: every read, quote and simulation of a pass names this hash. */
export interface Block {
  readonly number: number;
  readonly hash: Hash;
  readonly parentHash: Hash;
  /** Seconds since the epoch, as the block says. */
  readonly timestamp: number;
  /** Wei per gas. */
  readonly baseFeePerGas: bigint;
}

export interface Head extends Block {
  /** When this process saw it: milliseconds of performance.now(), for latencies only. */
  readonly receivedAtMs: number;
}
