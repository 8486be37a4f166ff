import type { History, StoredPosition } from '../database/index.js';
import type { Block } from '../domain/block.js';
import type { Address } from '../domain/hex.js';
import type { SavedAccounts } from './checkpoint-store.js';

/** A checkpoint older than this is not followed by logs to the head: its accounts are read again. */
const LONGEST_FOLLOW_BLOCKS = 200_000;

/** How accounts that were saved begin at a block. */
export interface RestartPoint {
  /** As of the block before `from`. The logs from there on lead to the block. */
  readonly positions: readonly StoredPosition[];
  readonly from: number;
  /** The blocks to search for accounts. */
  readonly history: History;
  /** Known accounts whose state has to be read. */
  readonly unread: readonly Address[];
  /** The saved states are of no use. */
  readonly startsOver: boolean;
}

/**
 * How much of what was saved can be used at a block.
 *
 * @param beforeFirst the block before the first one in which an account may appear.
 * @param onChain whether the chain has the checkpoint's block.
 */
export function restartPoint(
  { checkpoint, history, positions, unread }: SavedAccounts,
  block: Block,
  beforeFirst: number,
  onChain: boolean,
): RestartPoint {
  if (checkpoint && onChain && block.number - checkpoint.number <= LONGEST_FOLLOW_BLOCKS)
    return {
      positions,
      from: checkpoint.number + 1,
      history: history ?? { scannedTo: beforeFirst, goal: checkpoint.number },
      unread,
      startsOver: false,
    };
  return {
    positions: [],
    from: block.number + 1,
    history: { scannedTo: scannedTo(), goal: block.number },
    unread: [...unread, ...positions.map(({ account }) => account)],
    startsOver: true,
  };

  function scannedTo(): number {
    // The branch of the checkpoint is gone. On the present branch an account may still have a debt that it
    // repaid on that branch, and the debt may be as old as the market.
    if (checkpoint && !onChain) return beforeFirst;
    // Up to the checkpoint no account is missing, once the search has reached its goal.
    if (checkpoint && history && history.scannedTo >= history.goal) return checkpoint.number;
    return history?.scannedTo ?? beforeFirst;
  }
}
