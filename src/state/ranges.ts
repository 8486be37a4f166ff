import { LogRangeTooLarge, RpcError } from '../rpc/rpc-errors.js';

const FIRST_SPAN = 10_000;
const LARGEST_SPAN = 200_000;

/**
 * Reads a range of blocks, both ends included, in pieces. The size of a piece doubles after each answer. It
 * halves when the provider refuses the piece as too large or does not answer in time.
 *
 * @param onPiece called after each piece with the result and the last block of the piece; the next piece
 *   waits for it.
 * @throws RpcError when a single block is refused, or when the provider fails in another way; the signal's
 *   reason when it is aborted.
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

/** The provider refused the range as too large, or did not answer in time. */
function isTooMuch(error: unknown): boolean {
  return error instanceof LogRangeTooLarge || (error instanceof RpcError && error.kind === 'timeout');
}
