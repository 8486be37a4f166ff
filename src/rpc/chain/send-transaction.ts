import type { Hash, Hex } from '../../domain/hex.js';
import type { CallOptions } from '../endpoints/rpc-call.js';
import type { RpcPool } from '../endpoints/rpc-pool.js';
import { toHash } from '../quantities.js';
import {
  AlreadyKnown,
  DelegatedAccountLimit,
  FeeCapExceeded,
  FeeTooLow,
  InsufficientFunds,
  NonceTooLow,
  NoPlaceInPool,
  ReplacementUnderpriced,
  RpcAnswerError,
  RpcError,
} from '../rpc-errors.js';

/**
 * - `accepted`: a node has the transaction. It may not be mined: only a receipt shows that.
 * - `refused`: every node that was asked refused it. After NonceTooLow it may have been mined just now: look
 *   the hash up.
 * - `unknown`: it may have arrived or not. Look the hash up before anything else, and do not sign again
 *   because of this.
 */
export type SendOutcome =
  | { readonly kind: 'accepted'; readonly alreadyKnown: boolean }
  | { readonly kind: 'refused'; readonly error: RpcAnswerError }
  | { readonly kind: 'unknown'; readonly detail: string };

/** What `Chain.sendRawTransaction` does. */
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

/**
 * The refusals that say most, first. What one node says of the nonce or of the wallet holds for all nodes.
 * What it says of its own pool or of its own limits does not.
 */
const TELLING = [
  NonceTooLow,
  ReplacementUnderpriced,
  InsufficientFunds,
  FeeCapExceeded,
  FeeTooLow,
  DelegatedAccountLimit,
  NoPlaceInPool,
] as const;

/**
 * The first acceptance. Without one: `unknown` when the answer of any node is missing, else the refusal that
 * says most.
 */
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
    const refused = settled.filter((outcome) => outcome.kind === 'refused');
    const [first, ...others] = refused;
    if (unknown.length > 0 || !first)
      return { kind: 'unknown', detail: unknown.map(({ detail }) => detail).join('; ') };
    return others.reduce((best, one) => (rankOf(one.error) < rankOf(best.error) ? one : best), first);
  }
}

function rankOf(error: RpcAnswerError): number {
  const rank = TELLING.findIndex((kind) => error instanceof kind);
  return rank < 0 ? TELLING.length : rank;
}
