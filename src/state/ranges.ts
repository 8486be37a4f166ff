import { LogRangeTooLarge, RpcError } from '../rpc/rpc-errors.js';

const FIRST_SPAN = 10_000;
const LARGEST_SPAN = 200_000;

/**
 * Reads a range of blocks, both ends included, piece by piece. The piece doubles while the provider answers,
 * and halves when the provider refuses it as too large or does not finish in time.
 *
 * @param onPiece called after each piece with what was read and its last block; the next piece waits for it.
 * @throws RpcError when a single block is refused, or the provider fails otherwise; the signal's reason once
 *   it is aborted.
 */
export async function inRanges<T>(
  read: (fromBlock: number, toBlock: number) => Promise<T>,
  fromBlock: number,
  toBlock: number,
  onPiece: (piece: T, upTo: number) => void | Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  let span = FIRST_SPAN;
  let from = fromBlock;
  while (from <= toBlock) {
    signal?.throwIfAborted();
    const to = Math.min(from + span - 1, toBlock);
    let piece: T;
    try {
      piece = await read(from, to);
    } catch (error) {
      if (!isTooMuch(error) || span === 1) throw error;
      span = Math.max(1, Math.floor(Math.min(span, to - from + 1) / 2));
      continue;
    }
    await onPiece(piece, to);
    from = to + 1;
    span = Math.min(span * 2, LARGEST_SPAN);
  }
}

/** The provider refused the range as too large, or did not finish in time. */
function isTooMuch(error: unknown): boolean {
  return error instanceof LogRangeTooLarge || (error instanceof RpcError && error.kind === 'timeout');
}
