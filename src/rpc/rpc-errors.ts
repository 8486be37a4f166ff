import type { EndpointRole } from '../domain/endpoint-role.js';
import { RetryError, SkipError } from '../domain/errors.js';
import type { Hex } from '../domain/hex.js';

/**
 * Why an endpoint did not serve a call:
 * - `refused`: it refuses in words that are not known. Its health is not affected.
 * - `rate-limit`: it asks for a pause (HTTP 429, or in words of its own).
 * - `provider`: it is unreachable, does not let us in, or reports a fault on its side.
 * - `timeout`: it did not answer within the deadline.
 * - `bad-answer`: its answer is malformed, or does not fit the question.
 * - `out-of-sync`: it does not have the block or the state, or is too far behind. Its health is not affected.
 */
export type RpcErrorKind = 'refused' | 'rate-limit' | 'provider' | 'timeout' | 'bad-answer' | 'out-of-sync';

/**
 * An endpoint could not serve a call. Another endpoint may serve it, or the same one later. The error names
 * the endpoint by its role, never by its address. It has no `cause`, because the errors of Node hold host
 * names.
 */
export class RpcError extends RetryError {
  constructor(
    readonly kind: RpcErrorKind,
    /** `rpc` when no single endpoint failed. */
    readonly endpoint: EndpointRole | 'rpc',
    readonly detail: string,
    /** The pause that the endpoint asked for, in milliseconds. */
    readonly retryAfterMs?: number,
    /** A smaller question may be served: it took too long, or a gateway answered instead of the node. */
    readonly tooMuch = false,
  ) {
    super(`${endpoint}: ${detail}`);
  }
}

/**
 * The endpoint does not have the method, or does not offer it to us. Another endpoint may have it. No smaller
 * question is served.
 */
export class MethodMissing extends RpcError {
  constructor(endpoint: EndpointRole | 'rpc', detail: string) {
    super('refused', endpoint, detail);
  }
}

/**
 * The node understood the call and refused it. Every healthy node does the same, so no other endpoint is
 * asked.
 */
export class RpcAnswerError extends SkipError {
  constructor(
    /** The error code of JSON-RPC. */
    readonly code: number,
    /** The words of the node, without secrets, at most 200 characters. */
    readonly reason: string,
  ) {
    super(`the node answers ${code}: ${reason}`);
  }
}

/** The call reverted, ran out of gas, or met an invalid instruction. `data` is what it reverted with. */
export class CallReverted extends RpcAnswerError {
  constructor(
    code: number,
    reason: string,
    readonly data: Hex,
  ) {
    super(code, reason);
  }
}

/**
 * The nonce of the account is higher than that of the transaction. This alone does not mean that the
 * transaction failed: nodes also answer it for a transaction of ours that was just mined. Look its hash up
 * before you conclude anything.
 */
export class NonceTooLow extends RpcAnswerError {}

/** The node already has this transaction. This is a success. */
export class AlreadyKnown extends RpcAnswerError {}

export class InsufficientFunds extends RpcAnswerError {}

/** The whole fee of the transaction is above what the node takes over RPC (geth: rpc.txfeecap, 1 ether). */
export class FeeCapExceeded extends RpcAnswerError {
  constructor(
    code: number,
    reason: string,
    /** The cap in wei, rounded as the node says it; undefined when its words hold none. */
    readonly capWei: bigint | undefined,
  ) {
    super(code, reason);
  }
}

/**
 * Another transaction with this nonce is pending, and the new fees are not enough above its fees (10 % in
 * most nodes).
 */
export class ReplacementUnderpriced extends RpcAnswerError {}

/** The fees are below the base fee of the block, or below the minimum of the node. */
export class FeeTooLow extends RpcAnswerError {}

/** The pool of the node has no place for the transaction now. The same transaction may be taken later. */
export class NoPlaceInPool extends RpcAnswerError {}

/**
 * The sender is an account with code (EIP-7702), of which nodes take one transaction at a time, or a few, and
 * none with a gap before its nonce.
 */
export class DelegatedAccountLimit extends NoPlaceInPool {}

/** The question, or its answer, has more bytes than the provider serves. Ask for less. */
export class TooLarge extends RpcAnswerError {
  constructor(
    code: number,
    reason: string,
    /** How many blocks the provider says it would serve. */
    readonly suggested?: number,
  ) {
    super(code, reason);
  }
}

/** eth_getLogs asked for more blocks or results than the provider serves. Ask for a shorter range. */
export class LogRangeTooLarge extends TooLarge {}

/** eth_getLogs named more contracts than the provider takes. Ask for a part of them. */
export class TooManyAddresses extends TooLarge {}

/**
 * Thrown by a parser when the node answers that it does not have the thing (yet). It becomes `out-of-sync`.
 */
export class NotThereYet extends Error {}
