import type { Clock } from '../../domain/clock.js';
import { RpcAnswerError, RpcError } from '../rpc-errors.js';
import type { Member } from './endpoint-prober.js';
import type { RpcAnswer } from './json-rpc-endpoint.js';
import { valueOf, type EndpointAnswer, type RpcCall } from './rpc-call.js';

/** The answer of one endpoint to each of these calls. Its health follows from them. Never throws. */
export async function broadcastTo<T>(
  { endpoint, health }: Member,
  calls: readonly RpcCall<T>[],
  deadlineMs: number,
  clock: Clock,
): Promise<EndpointAnswer<T>[]> {
  const raw = await endpoint.each(calls, deadlineMs);
  const answers = calls.map((call, index) => answerOf(endpoint.role, call, raw[index]));
  const faults = answers.flatMap(({ error }) => (error instanceof RpcError ? [error] : []));
  const [fault] = faults;
  if (fault && faults.length === answers.length) health.failed(fault, clock.monotonicMs());
  else health.succeeded();
  return answers;
}

function answerOf<T>(
  role: EndpointAnswer<T>['role'],
  call: RpcCall<T>,
  raw: RpcAnswer | RpcError | undefined,
): EndpointAnswer<T> {
  if (raw instanceof RpcError) return { role, error: raw };
  try {
    const value = valueOf(role, call, raw);
    return value instanceof RpcAnswerError ? { role, error: value } : { role, value };
  } catch (error) {
    if (error instanceof RpcError) return { role, error };
    throw error;
  }
}
