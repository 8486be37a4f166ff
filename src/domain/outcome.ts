import type { Address, Hash } from './hex.js';

/**
 * What became of a signed transaction.
 *
 * - won: its receipt holds our contract's event of the liquidation.
 * - lost: another liquidator took the position before us.
 * - stale: the market came back, the profit fell below its floor, or the deadline passed; no rival was seen.
 * - refused: every node refused it, or a simulation did. It was not mined.
 * - malfunction: something is wrong with the bot, its contract or its key. Only these count as failures.
 */
export type Outcome = 'won' | 'lost' | 'stale' | 'refused' | 'malfunction';

/** The transaction that liquidated the same position before ours. */
export interface Rival {
  /** Who sent it. */
  readonly sender: Address;
  readonly hash: Hash;
  readonly block: number;
  /** Its place in the block, from 0. */
  readonly place: number;
  /** Wei per gas above the base fee. */
  readonly tipPerGasWei: bigint;
  /** 0: it was mined in the block of ours, or ours was not mined. */
  readonly blocksEarlier: number;
  /** How many places before ours; undefined when it was mined in another block. */
  readonly placesEarlier: number | undefined;
}

/** An outcome and how it was decided. */
export interface Verdict {
  readonly outcome: Outcome;
  /** Why it did not succeed; undefined where it did. */
  readonly reason: string | undefined;
  /** `unknown`: the chain could not be asked whether there was one. */
  readonly rival?: Rival | 'unknown' | undefined;
}
