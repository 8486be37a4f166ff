import type { EndpointRole } from '../../domain/endpoint-role.js';
import { messageOf } from '../../domain/errors.js';
import type { RpcAnswer } from './json-rpc-endpoint.js';
import { NotThereYet, RpcAnswerError, RpcError } from '../rpc-errors.js';

/**
 * One call. `parse` checks the raw result and turns it into a value. It throws when the result is malformed.
 */
export interface RpcCall<T> {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly parse: (raw: unknown) => T;
}

export interface CallOptions {
  /** For the whole call, over all endpoints, in milliseconds. Default: 2,000. */
  readonly deadlineMs?: number;
}

export interface EachOptions extends CallOptions {
  /** No other endpoint is asked. */
  readonly only?: EndpointRole;
  /** It is not asked, unless it is the only endpoint that may be used. */
  readonly except?: EndpointRole;
}

export interface BatchOptions extends CallOptions {
  /**
   * Only the archive serves the call, where one is configured. So a backfill does not use the quota of the
   * live endpoints, and an archive that is down does not put load on them. Without an archive the live
   * endpoints serve it.
   */
  readonly archive?: boolean;
  /**
   * It may ask for more than the endpoint can serve: a failure that a smaller question may avoid is no mark
   * on the health of the endpoint.
   */
  readonly large?: boolean;
}

/**
 * For each call of a batch its value, or the error that the node answered to this call (a revert, for
 * instance).
 */
export type BatchAnswers<Calls extends readonly RpcCall<unknown>[]> = {
  -readonly [I in keyof Calls]: Calls[I] extends RpcCall<infer T> ? T | RpcAnswerError : never;
};

/** The answer of one endpoint. */
export type EndpointAnswer<T> =
  | { readonly role: EndpointRole; readonly value: T; readonly error?: undefined }
  | { readonly role: EndpointRole; readonly value?: undefined; readonly error: RpcError | RpcAnswerError };

/**
 * @throws RpcError when the result does not parse: `bad-answer`, or `out-of-sync` when the node does not have
 * it.
 */
export function valueOf<T>(
  role: EndpointRole,
  call: RpcCall<T>,
  answer: RpcAnswer | undefined,
): T | RpcAnswerError {
  if (!answer) throw new RpcError('bad-answer', role, `no answer to ${call.method}`);
  if ('error' in answer) return answer.error;
  const { result } = answer;
  try {
    return checked(role, call.method, () => call.parse(result));
  } catch (error) {
    // Some gateways answer null for a block that the node behind them does not have yet.
    if (result !== null || !OF_A_BLOCK.has(call.method) || !(error instanceof RpcError)) throw error;
    throw new RpcError('out-of-sync', role, error.detail);
  }
}

/** The methods that name a block, and never answer null when the node has it. */
const OF_A_BLOCK = new Set([
  'eth_call',
  'eth_simulateV1',
  'eth_getBalance',
  'eth_getCode',
  'eth_getTransactionCount',
  'eth_getLogs',
]);

/** @throws RpcError as {@link valueOf} does, unless `check` throws an RpcAnswerError, which goes on. */
export function checked<T>(role: EndpointRole, asked: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof RpcAnswerError) throw error;
    const kind = error instanceof NotThereYet ? 'out-of-sync' : 'bad-answer';
    throw new RpcError(kind, role, `the answer to ${asked} was not accepted: ${messageOf(error)}`);
  }
}
