import type { EndpointRole } from '../../domain/endpoint-role.js';
import { messageOf } from '../../domain/errors.js';
import type { RpcAnswer } from './json-rpc-endpoint.js';
import { NotThereYet, RpcAnswerError, RpcError } from '../rpc-errors.js';

/** One call. `parse` turns the raw result into a checked value and throws when it is not one. */
export interface RpcCall<T> {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly parse: (raw: unknown) => T;
}

export interface CallOptions {
  /** For the call as a whole, over all endpoints, in milliseconds. Default: 2,000. */
  readonly deadlineMs?: number;
}

export interface BatchOptions extends CallOptions {
  /** Served by the archive endpoint alone where one is configured, so that a backfill neither uses up the live endpoints' quota nor
   * stops them when the archive is down. Without an archive the live endpoints serve it. */
  readonly archive?: boolean;
}

/** Per call of a batch: its value, or the node's refusal of that one call (a revert, for instance). */
export type BatchAnswers<Calls extends readonly RpcCall<unknown>[]> = {
  -readonly [I in keyof Calls]: Calls[I] extends RpcCall<infer T> ? T | RpcAnswerError : never;
};

/** What one endpoint said by itself. */
export type EndpointAnswer<T> =
  | { readonly role: EndpointRole; readonly value: T; readonly error?: undefined }
  | { readonly role: EndpointRole; readonly value?: undefined; readonly error: RpcError | RpcAnswerError };

/** @throws RpcError when the result does not parse: `bad-answer`, or `out-of-sync` when the node lacks the thing. */
export function valueOf<T>(
  role: EndpointRole,
  call: RpcCall<T>,
  answer: RpcAnswer | undefined,
): T | RpcAnswerError {
  if (!answer) throw new RpcError('bad-answer', role, `no answer to ${call.method}`);
  if ('error' in answer) return answer.error;
  const { result } = answer;
  return checked(role, call.method, () => call.parse(result));
}

/** @throws RpcError, as {@link valueOf} does, when the check throws anything but a refusal of the node. */
export function checked<T>(role: EndpointRole, asked: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof RpcAnswerError) throw error;
    const kind = error instanceof NotThereYet ? 'out-of-sync' : 'bad-answer';
    throw new RpcError(kind, role, `the answer to ${asked} was not accepted: ${messageOf(error)}`);
  }
}
