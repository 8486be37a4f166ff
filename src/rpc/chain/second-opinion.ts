import type { EndpointRole } from '../../domain/endpoint-role.js';
import type { Hash, Hex } from '../../domain/hex.js';
import { blockParam } from './chain-answers.js';
import type { CallOptions } from '../endpoints/rpc-call.js';
import type { RpcPool } from '../endpoints/rpc-pool.js';
import { parseSimulation, simulationParams, type CallRequest, type SimulatedCall } from './simulate.js';

/**
 * - `agree`: two endpoints answer that the call succeeds, and none that it reverts.
 * - `disagree`: an endpoint answers that the call reverts. It cannot be known here which endpoint is right.
 * - `unavailable`: fewer than two endpoints answered in time. `detail` says why.
 */
export type SecondOpinion =
  | { readonly kind: 'agree' }
  | { readonly kind: 'disagree'; readonly endpoint: EndpointRole; readonly revertData: Hex }
  | { readonly kind: 'unavailable'; readonly detail: string };

/**
 * For all endpoints, which are asked at once. The plan in question is meant for one of the next blocks.
 * Milliseconds.
 */
const DEADLINE_MS = 500;

/** What `Chain.secondOpinion` does. */
export async function secondOpinion(
  pool: RpcPool,
  calls: readonly CallRequest[],
  block: Hash,
  options?: CallOptions,
): Promise<SecondOpinion> {
  const request = {
    method: 'eth_simulateV1',
    params: [simulationParams(calls), blockParam(block)],
    parse: (raw: unknown): SimulatedCall | undefined => parseSimulation(raw, calls.length).at(-1),
  };
  const answers = await pool.askEach(request, { deadlineMs: DEADLINE_MS, ...options });
  for (const { role, value } of answers)
    if (value && !value.success) return { kind: 'disagree', endpoint: role, revertData: value.returnData };
  if (answers.filter(({ value }) => value !== undefined).length >= 2) return { kind: 'agree' };
  const reasons = answers.flatMap(({ error }) => (error ? [error.message] : []));
  return { kind: 'unavailable', detail: reasons.join('; ') || 'only one endpoint may be used now' };
}
