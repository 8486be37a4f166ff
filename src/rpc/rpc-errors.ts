import type { EndpointRole } from '../domain/endpoint-role.js';
import { RetryError, SkipError } from '../domain/errors.js';
import type { Hex } from '../domain/hex.js';

/**
 * Why an endpoint did not serve a call:
 * - `rate-limit`: it asks for a pause (HTTP 429 or its own words);
 * - `provider`: it is unreachable, refuses us, or says that something broke on its side;
 * - `timeout`: it did not answer within the deadline;
 * - `bad-answer`: it answered something that is not an answer to the question;
 * - `out-of-sync`: it does not have the block or the state asked for, or is too far behind. No fault of its health.
 */
export type RpcErrorKind = 'rate-limit' | 'provider' | 'timeout' | 'bad-answer' | 'out-of-sync';

/**
 * An endpoint could not serve a call; another one, or the same one later, may.
 * Names the endpoint by its role ("primary"), never by its address, and has no `cause`: the errors of Node carry host names.
 */
export class RpcError extends RetryError {
  constructor(
    readonly kind: RpcErrorKind,
    /** `rpc` when no single endpoint failed. */
    readonly endpoint: EndpointRole | 'rpc',
    readonly detail: string,
    /** The pause that the endpoint asked for, in milliseconds. */
    readonly retryAfterMs?: number,
  ) {
    super(`${endpoint}: ${detail}`);
  }
}

/** The node understood the call and said no. Every sound node says the same, so another endpoint is not asked. */
export class RpcAnswerError extends SkipError {
  constructor(
    /** The error code of JSON-RPC. */
    readonly code: number,
    /** The node's own words, without anything secret and at most 200 characters. */
    readonly reason: string,
  ) {
    super(`the node answers ${code}: ${reason}`);
  }
}

/** The call was executed and reverted, ran out of gas or hit an invalid instruction. `data` is what it reverted with. */
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
 * The account's nonce is beyond the transaction's. Not a refusal by itself: nodes say it too about a transaction of ours that
 * was mined a moment ago, so its hash is looked up before anything is concluded.
 */
export class NonceTooLow extends RpcAnswerError {}

/** The node has this very transaction: a success. */
export class AlreadyKnown extends RpcAnswerError {}

export class InsufficientFunds extends RpcAnswerError {}

/** Another transaction with this nonce is waiting, and the new fees are not high enough above its fees (10 % in most nodes). */
export class ReplacementUnderpriced extends RpcAnswerError {}

/** The fees are below the block's base fee or below the node's minimum. */
export class FeeTooLow extends RpcAnswerError {}

/** eth_getLogs over more blocks or results than the provider serves: ask for a shorter range. */
export class LogRangeTooLarge extends RpcAnswerError {}

/** Thrown by a parser when a well-formed answer says that the node does not have the thing (yet). Becomes `out-of-sync`. */
export class NotThereYet extends Error {}
