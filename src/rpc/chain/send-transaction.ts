import type { Hash, Hex } from '../../domain/hex.js';
import type { CallOptions } from '../endpoints/rpc-call.js';
import type { RpcPool } from '../endpoints/rpc-pool.js';
import { toHash } from '../quantities.js';
import { AlreadyKnown, RpcAnswerError, RpcError } from '../rpc-errors.js';

/**
 * - `accepted`: a node has the transaction. No more than that: only a receipt says that it was mined.
 * - `refused`: every node asked said no. With NonceTooLow the transaction may have been mined a moment ago: look the hash up.
 * - `unknown`: it may or may not have arrived. Look the hash up before anything else; never sign again on this.
 */
export type SendOutcome =
  | { readonly kind: 'accepted'; readonly alreadyKnown: boolean }
  | { readonly kind: 'refused'; readonly error: RpcAnswerError }
  | { readonly kind: 'unknown'; readonly detail: string };

/** See {@link Chain.sendRawTransaction}. */
export async function sendRawTransaction(
  pool: RpcPool,
  raw: Hex,
  expectedHash: Hash,
  options?: CallOptions,
): Promise<SendOutcome> {
  const parse = (answer: unknown): Hash => {
    const hash = toHash(answer);
    if (hash !== expectedHash) throw new TypeError('it names another transaction');
    return hash;
  };
  const sent = pool.broadcast({ method: 'eth_sendRawTransaction', params: [raw], parse }, options);
  const outcomes = sent.map((answer) => answer.then(accepted, sendOutcomeOf));
  return firstAccepted(outcomes);
}

function accepted(): SendOutcome {
  return { kind: 'accepted', alreadyKnown: false };
}

function sendOutcomeOf(error: unknown): SendOutcome {
  if (error instanceof AlreadyKnown) return { kind: 'accepted', alreadyKnown: true };
  if (error instanceof RpcAnswerError) return { kind: 'refused', error };
  if (error instanceof RpcError) return { kind: 'unknown', detail: error.message };
  throw error;
}

/** The first acceptance; without one, what is left: unknown if any node's word is missing, else the first refusal. */
async function firstAccepted(outcomes: readonly Promise<SendOutcome>[]): Promise<SendOutcome> {
  const acceptance = outcomes.map(async (outcome) => {
    const settled = await outcome;
    if (settled.kind !== 'accepted') throw new Error('not accepted');
    return settled;
  });
  try {
    return await Promise.any(acceptance);
  } catch {
    const settled = await Promise.all(outcomes);
    const unknown = settled.filter((outcome) => outcome.kind === 'unknown');
    const [first] = settled;
    if (unknown.length > 0 || !first)
      return { kind: 'unknown', detail: unknown.map(({ detail }) => detail).join('; ') };
    return first;
  }
}
