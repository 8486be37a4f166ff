import { ChimeraError, messageOf, RetryError } from '../../domain/errors.js';
import type { Hash, Hex } from '../../domain/hex.js';
import type { CallOptions } from '../endpoints/rpc-call.js';
import type { Chain, MulticallOptions } from './chain.js';
import type { MulticallResult as CallResult, Read } from './multicall3.js';

export type { Read } from './multicall3.js';

type Values<R extends readonly Read<unknown>[]> = { [K in keyof R]: R[K] extends Read<infer T> ? T : never };

/**
 * The value at a block, in one round trip. An answer that is too short, or holds a number out of its range,
 * is a bad answer of that endpoint: the next one is asked.
 *
 * @throws RetryError when an answer is missing or malformed. Another pass or another endpoint may succeed.
 */
export async function readAt<T>(
  chain: Chain,
  { calls, decode }: Read<T>,
  block: Hash,
  options?: MulticallOptions,
): Promise<T> {
  try {
    return calls.length === 0 ? decode([]) : await chain.multicallAs(calls, block, decode, options);
  } catch (error) {
    if (error instanceof ChimeraError) throw error;
    throw new RetryError(messageOf(error), { cause: error });
  }
}

/**
 * The value at a block as each live endpoint tells it, asked at once. An endpoint that does not serve, or
 * whose answer is missing or malformed, has no value here. Never throws.
 */
export async function readEverywhere<T>(
  chain: Chain,
  read: Read<T>,
  block: Hash,
  options?: CallOptions,
): Promise<readonly T[]> {
  const answers = await chain.multicallEverywhere(read.calls, block, options);
  return answers.flatMap((results) => {
    try {
      return [read.decode(results)];
    } catch {
      return [];
    }
  });
}

/** Several reads as one read. */
export function together<R extends readonly Read<unknown>[]>(...reads: R): Read<Values<R>> {
  return {
    calls: reads.flatMap((read) => read.calls),
    decode: (results) => {
      let start = 0;
      return reads.map((read) => {
        const own = results.slice(start, start + read.calls.length);
        start += read.calls.length;
        return read.decode(own);
      }) as Values<R>;
    },
  };
}

/** A list of reads as one read. */
export function each<T>(reads: readonly Read<T>[]): Read<T[]> {
  const all = together(...reads);
  return { calls: all.calls, decode: (results) => all.decode(results) };
}

/** The data of a call that must succeed. @throws Error naming what was read. */
export function successOf(result: CallResult | undefined, what: string): Hex {
  if (!result?.success) throw new Error(`${what} could not be read: the call reverted`);
  return result.data;
}
