import type { Address, Hash, Hex } from '../../domain/hex.js';
import type { RpcCall } from '../endpoints/rpc-call.js';
import { toData } from '../quantities.js';
import { CallReverted, RpcAnswerError, TooLarge } from '../rpc-errors.js';
import { blockParam } from './chain-answers.js';
import {
  decodeAggregate3,
  encodeAggregate3,
  MULTICALL3,
  type MulticallCall,
  type MulticallResult,
} from './multicall3.js';
import { callObject } from './simulate.js';

// A node spends a limited gas on one eth_call, 50M by default in geth. A call inside of Multicall3 that needs
// more than is left takes 63/64 of it and fails like a revert, and so do the calls after it. So each eth_call
// ends with a call that needs some gas and never reverts. If that one fails, there was too little gas for the
// calls before it, and those that failed are asked again, in smaller parts, down to each alone.

/** Calls by their place in the whole list. */
export type Part = readonly number[];

export interface PartAnswer {
  readonly results: readonly MulticallResult[];
  /** Whether too little gas was left at the end. */
  readonly starved: boolean;
}

/**
 * The precompile for modular powers (EIP-198): 0 to a power of 256 bits, modulo a number of 512 bytes. By
 * EIP-2565 it costs 348,160 gas, by EIP-7883 2,088,960, whatever the numbers are. That is about what a call
 * that ran out of gas leaves of 50M.
 */
const METER: MulticallCall = { to: `0x${'5'.padStart(40, '0')}`, data: meterData() };

function meterData(): Hex {
  const word = (value: number): string => value.toString(16).padStart(64, '0');
  return `0x${word(512)}${word(32)}${word(512)}${'00'.repeat(512)}${'ff'.repeat(32)}`;
}

/**
 * The eth_call of some of the calls.
 *
 * @param again they were short of gas before.
 * @param from their tx.origin.
 */
export function partCall(
  calls: readonly MulticallCall[],
  part: Part,
  block: Hash,
  { again, from }: { readonly again: boolean; readonly from?: Address | undefined },
): RpcCall<PartAnswer> {
  const own = part.flatMap((index) => calls[index] ?? []);
  const meter = again || own.length > 1 ? [METER] : [];
  const data = encodeAggregate3([...own, ...meter]);
  const request = callObject({ to: MULTICALL3, data, ...(from && { from }) });
  return {
    method: 'eth_call',
    params: [request, blockParam(block)],
    parse: (raw) => {
      const results = decodeAggregate3(toData(raw), own.length + meter.length);
      const starved = results.slice(own.length).some(({ success }) => !success);
      return { results: results.slice(0, own.length), starved };
    },
  };
}

/** The list from 0 to `count - 1` in parts of `size` at most. */
export function partsOf(count: number, size: number): Part[] {
  return inParts(
    Array.from({ length: count }, (_, index) => index),
    size,
  );
}

/**
 * Takes over what an answer tells for certain.
 *
 * @returns the parts in which the rest has to be asked again, each smaller than `part`.
 * @throws RpcAnswerError when the refusal has nothing to do with the size.
 */
export function settle(part: Part, answer: PartAnswer | RpcAnswerError, results: MulticallResult[]): Part[] {
  const [only] = part;
  if (answer instanceof RpcAnswerError) {
    if (!(answer instanceof CallReverted || answer instanceof TooLarge)) throw answer;
    if (part.length > 1) return inParts(part, Math.ceil(part.length / 2));
    const data = answer instanceof CallReverted ? answer.data : '0x';
    if (only !== undefined) results[only] = { success: false, data, outOfGas: true };
    return [];
  }
  const again: number[] = [];
  for (const [at, index] of part.entries()) {
    const result = answer.results[at];
    if (!result) continue;
    const short = answer.starved && !result.success;
    if (short && part.length > 1) again.push(index);
    else results[index] = short ? { ...result, outOfGas: true } : result;
  }
  // The first that failed is likely to be the one that took the gas of the others.
  const [first, ...others] = again;
  if (first === undefined) return [];
  return [[first], ...inParts(others, Math.max(1, Math.ceil(others.length / 2)))];
}

function inParts(indexes: readonly number[], size: number): Part[] {
  const parts: Part[] = [];
  for (let from = 0; from < indexes.length; from += size) parts.push(indexes.slice(from, from + size));
  return parts;
}
