import { MethodMissing, RpcError } from '../rpc-errors.js';

const isMissing = (failure: RpcError): boolean => failure instanceof MethodMissing;

/** One error for those of several endpoints, which were asked one after the other. */
export function combined(failures: readonly RpcError[]): RpcError | undefined {
  const [first, ...others] = failures;
  if (!first || others.length === 0) return first;
  const detail = failures.map(({ message }) => message).join('; ');
  if (failures.filter(isMissing).length === failures.length) return new MethodMissing('rpc', detail);
  const pauses = failures.map(({ retryAfterMs }) => retryAfterMs).filter((ms) => ms !== undefined);
  const pause = pauses.length === failures.length ? Math.min(...pauses) : undefined;
  const tooMuch = failures.some((failure) => failure.tooMuch);
  return new RpcError(first.kind, 'rpc', detail, pause, tooMuch);
}
