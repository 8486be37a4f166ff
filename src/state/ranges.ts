import type { AdaptiveSize } from '../rpc/endpoints/adaptive-size.js';
import { LogRangeTooLarge, RpcError } from '../rpc/rpc-errors.js';

/** Pieces that are on their way at once. Free plans of providers allow some ten questions a second. */
const AT_ONCE = 4;
/**
 * How often in a row a piece is halved because of a failure that may have another reason than its length.
 * Then it is taken for an outage.
 */
const MOST_DOUBTS = 14;

export interface RangeOptions {
  /** How many blocks are served at once, by whoever is asked now. It is learned here. */
  readonly span: () => AdaptiveSize;
  readonly signal?: AbortSignal | undefined;
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

interface Piece<T> {
  readonly from: number;
  to: number;
  asked?: { readonly answer: Promise<Outcome<T>>; readonly span: AdaptiveSize } | undefined;
}

/**
 * Reads a range of blocks, both ends included, in pieces, several at once. A piece that is refused is cut: to
 * the length that the provider names, or to half of it. Any refusal may mean the length, and so may a
 * time-out or a gateway that answers in the place of the node. What is served is remembered in the span.
 *
 * @param onPiece called for each piece in the order of the blocks, with the result and the last block of the
 *   piece; the next call waits for it.
 * @throws RpcError when a single block is refused, or when the provider fails in another way; the signal's
 *   reason when it is aborted.
 */
export async function inRanges<T>(
  read: (fromBlock: number, toBlock: number) => Promise<T>,
  fromBlock: number,
  toBlock: number,
  onPiece: (piece: T, upTo: number) => void | Promise<void>,
  { span, signal }: RangeOptions,
): Promise<void> {
  const pieces: Piece<T>[] = fromBlock <= toBlock ? [{ from: fromBlock, to: toBlock }] : [];
  let atOnce = 1; // until one piece shows what is served
  let doubts = 0;
  let longest = Infinity; // while it is in doubt
  for (let first = pieces[0]; first; first = pieces[0]) {
    signal?.throwIfAborted();
    ask(pieces, atOnce, (piece) => {
      const current = span();
      const length = current.next(Math.min(lengthOf(piece), longest));
      const rest = { from: piece.from + length, to: piece.to };
      piece.to = rest.from - 1;
      piece.asked = { answer: outcomeOf(() => read(piece.from, piece.to)), span: current };
      return rest;
    });
    if (!first.asked) throw new Error('the first piece was not asked for');
    const { answer, span: asked } = first.asked;
    const outcome = await answer;
    signal?.throwIfAborted();
    const length = lengthOf(first);
    if ('value' in outcome) {
      // Only now is it known that the length was the reason.
      if (doubts > 0) asked.refused(length + 1, length);
      asked.served(length);
      [atOnce, doubts, longest] = [AT_ONCE, 0, Infinity];
      pieces.shift();
      await onPiece(outcome.value, first.to);
      continue;
    }
    const { error } = outcome;
    if (length === 1 || !mayBeTooLong(error)) throw error;
    // A longer piece than is known to be served was a try, whatever it failed with.
    if (error instanceof LogRangeTooLarge) asked.refused(length, error.suggested);
    else if (length > asked.size) asked.refused(length);
    else if (++doubts > MOST_DOUBTS) throw error;
    else longest = Math.ceil(length / 2);
    atOnce = 1;
    first.asked = undefined;
  }
}

/** The provider refused the range as too large, or failed in a way that a shorter range may avoid. */
function mayBeTooLong(error: unknown): boolean {
  return error instanceof LogRangeTooLarge || (error instanceof RpcError && error.tooMuch);
}

/** Sees to it that the first pieces are on their way. @param send asks for the beginning of one. */
function ask<T>(
  pieces: Piece<T>[],
  most: number,
  send: (piece: Piece<T>) => Pick<Piece<T>, 'from' | 'to'>,
): void {
  for (let index = 0; index < pieces.length && index < most; index++) {
    const piece = pieces[index];
    if (!piece || piece.asked) continue;
    const rest = send(piece);
    if (rest.from <= rest.to) pieces.splice(index + 1, 0, rest);
  }
}

function lengthOf({ from, to }: Pick<Piece<unknown>, 'from' | 'to'>): number {
  return to - from + 1;
}

/** An answer that is not waited for yet must not end the process when it fails. */
function outcomeOf<T>(read: () => Promise<T>): Promise<Outcome<T>> {
  return new Promise<T>((resolve) => resolve(read())).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
}
