import type { Hash, Hex } from '../../domain/hex.js';
import type { CallOptions, EndpointAnswer, RpcCall } from '../endpoints/rpc-call.js';
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

/** A signed transaction, and its hash as we computed it. */
export interface RawTransaction {
  readonly raw: Hex;
  readonly hash: Hash;
}

/** What `Chain.sendRawTransactions` does. */
export function sendRawTransactions(
  pool: RpcPool,
  transactions: readonly RawTransaction[],
  options?: CallOptions,
): Promise<SendOutcome>[] {
  const calls = transactions.map(({ raw, hash: expected }) => {
    const parse = (answer: unknown): Hash => parseSent(answer, expected);
    return { method: 'eth_sendRawTransaction', params: [raw], parse };
  });
  const heard = asked(pool, calls, options);
  return transactions.map(async (_, index) =>
    firstAccepted((await heard).map(async (answers) => outcomeOf((await answers)[index]))),
  );
}

/** @throws TypeError when it is not the hash of the transaction that was sent. */
export function parseSent(answer: unknown, expected: Hash): Hash {
  const hash = toHash(answer);
  if (hash !== expected) throw new TypeError('it names another transaction');
  return hash;
}

/** Rejects when no endpoint may be used. */
async function asked(
  pool: RpcPool,
  calls: readonly RpcCall<Hash>[],
  options: CallOptions | undefined,
): Promise<Promise<EndpointAnswer<Hash>[]>[]> {
  return Promise.resolve(pool.broadcast(calls, options));
}

/** What one endpoint answered. @param answer undefined: none. */
export function outcomeOf(answer: Pick<EndpointAnswer<Hash>, 'error'> | undefined): SendOutcome {
  const error = answer?.error;
  if (answer && !error) return { kind: 'accepted', alreadyKnown: false };
  if (error instanceof AlreadyKnown) return { kind: 'accepted', alreadyKnown: true };
  if (error instanceof RpcAnswerError) return { kind: 'refused', error };
  return { kind: 'unknown', detail: error?.message ?? 'no answer' };
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
