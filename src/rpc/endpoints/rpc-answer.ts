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
