import type { History } from '../database/index.js';
import type { Block } from '../domain/block.js';
import type { Address } from '../domain/hex.js';
import type { AaveAccount } from '../protocols/aave-v3/market.js';
import type { SavedMarket } from './checkpoint-store.js';

/** A checkpoint older than this is not followed by logs to the head: its positions are read anew. */
const LONGEST_FOLLOW_BLOCKS = 200_000;

/** How a market begins at a block. */
export interface Beginning {
  /** Known as of the block before `from`; the logs from there on lead to the block. */
  readonly positions: readonly AaveAccount[];
  readonly from: number;
  /** The blocks to look through for borrowers. */
  readonly history: History;
  /** Borrowers whose positions have to be read. */
  readonly unread: readonly Address[];
  /** The saved positions are of no use. */
  readonly anew: boolean;
}

/**
 * What of the saved can be used.
 *
 * @param beforeFirst the block before the first in which somebody may have borrowed.
 * @param isOurs whether the chain has the checkpoint's block.
 */
export function beginningOf(
  { checkpoint, history, accounts, unread }: SavedMarket,
  block: Block,
  beforeFirst: number,
  isOurs: boolean,
): Beginning {
  if (checkpoint && isOurs && block.number - checkpoint.number <= LONGEST_FOLLOW_BLOCKS)
    return {
      positions: accounts,
      from: checkpoint.number + 1,
      history: history ?? { scannedTo: beforeFirst, goal: checkpoint.number },
      unread,
      anew: false,
    };
  return {
    positions: [],
    from: block.number + 1,
    history: { scannedTo: scannedTo(), goal: block.number },
    unread: [...unread, ...accounts.map(({ address }) => address)],
    anew: true,
  };

  function scannedTo(): number {
    // A chain that disowns the checkpoint may have given somebody back the debt that he repaid on the branch that is gone, and
    // that may be as old as the market.
    if (checkpoint && !isOurs) return beforeFirst;
    // Up to a checkpoint nobody is missing, once the history is through.
    if (checkpoint && history && history.scannedTo >= history.goal) return checkpoint.number;
    return history?.scannedTo ?? beforeFirst;
  }
}
