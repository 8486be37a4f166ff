import type { Address } from '../domain/hex.js';
import { LogRangeTooLarge, RpcError } from '../rpc/rpc-errors.js';

const FIRST_SPAN = 10_000;
const LARGEST_SPAN = 200_000;

export interface BackfillProgress {
  readonly atBlock: number;
  readonly toBlock: number;
  readonly borrowers: number;
}

/** Reads the borrowers of a range of blocks, both ends included. */
export type ReadBorrowers = (fromBlock: number, toBlock: number) => Promise<ReadonlySet<Address>>;

/**
 * Everyone who ever took debt between two blocks, both included. The range asked for grows while the provider answers
 * and halves when it says that the range is too large.
 *
 * @throws RpcError when a single block is refused, or the provider fails otherwise; the signal's reason once it is aborted.
 */
export async function backfillBorrowers(
  read: ReadBorrowers,
  fromBlock: number,
  toBlock: number,
  onProgress: (progress: BackfillProgress) => void,
  signal?: AbortSignal,
): Promise<Set<Address>> {
  const borrowers = new Set<Address>();
  let span = FIRST_SPAN;
  let from = fromBlock;
  while (from <= toBlock) {
    signal?.throwIfAborted();
    const to = Math.min(from + span - 1, toBlock);
    try {
      for (const borrower of await read(from, to)) borrowers.add(borrower);
    } catch (error) {
      if (!isTooMuch(error) || span === 1) throw error;
      span = Math.max(1, Math.floor(span / 2));
      continue;
    }
    from = to + 1;
    span = Math.min(span * 2, LARGEST_SPAN);
    onProgress({ atBlock: to, toBlock, borrowers: borrowers.size });
  }
  return borrowers;
}

/** The provider says so, or did not finish in time. */
function isTooMuch(error: unknown): boolean {
  return error instanceof LogRangeTooLarge || (error instanceof RpcError && error.kind === 'timeout');
}
