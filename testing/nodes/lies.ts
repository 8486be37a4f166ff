/** Lies of one number each, to be told by a {@link LyingNode}. */
import { Interface } from 'ethers';
import type { Answer, Call, Lie } from './lying-node.js';

/** What one call of a Multicall3 asks. Lower case. */
export interface SubCall {
  readonly to: string;
  readonly data: string;
}

type Fields = Readonly<Record<string, unknown>>;

const multicall3 = new Interface([
  'function aggregate3((address target, bool allowFailure, bytes callData)[] calls) returns ((bool success, bytes returnData)[])',
]);

export const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
export const word = (value: bigint): string => BigInt.asUintN(256, value).toString(16).padStart(64, '0');

/** Data with another word at this index; as it is where it has no such word. */
export function withWord(data: string, index: number, edit: (value: bigint) => bigint): string {
  const start = 2 + 64 * index;
  const old = data.slice(start, start + 64);
  return old.length < 64
    ? data
    : data.slice(0, start) + word(edit(BigInt(`0x${old}`))) + data.slice(start + 64);
}

/** Another result of the calls with this method. */
export function resultOf(method: string, edit: (result: unknown, call: Call) => unknown): Lie {
  return (call, truth) => {
    if (call.method !== method || truth.error || truth.result === undefined) return undefined;
    return changed(truth, edit(truth.result, call));
  };
}

/** Other fields of an object that is the result: of a header or a receipt. */
export function fieldsOf(methods: readonly string[], edit: (object: Fields) => Fields): Lie {
  return (call, truth) => {
    if (!methods.includes(call.method) || truth.result === null || typeof truth.result !== 'object')
      return undefined;
    return changed(truth, { ...truth.result, ...edit(truth.result as Fields) });
  };
}

/** Another return value of the contract calls that match, alone or within a Multicall3. */
export function contractAnswers(
  matches: (call: SubCall) => boolean,
  edit: (data: string, call: SubCall) => string,
): Lie {
  return resultOf('eth_call', (result, { params }) => {
    const { to = '', data: input, input: other } = params[0] as Record<string, string | undefined>;
    const asked: SubCall = { to: to.toLowerCase(), data: (input ?? other ?? '0x').toLowerCase() };
    if (matches(asked)) return edit(String(result), asked);
    if (!asked.data.startsWith('0x82ad56cb')) return result;
    const [calls] = multicall3.decodeFunctionData('aggregate3', asked.data) as unknown as [
      [string, boolean, string][],
    ];
    const [results] = multicall3.decodeFunctionResult('aggregate3', String(result)) as unknown as [
      [boolean, string][],
    ];
    const edited = results.map(([success, data], index): [boolean, string] => {
      const [target = '', , callData = '0x'] = calls[index] ?? [];
      const sub = { to: target.toLowerCase(), data: callData.toLowerCase() };
      return success && matches(sub) ? [success, edit(data, sub)] : [success, data];
    });
    return multicall3.encodeFunctionResult('aggregate3', [edited]);
  });
}

/** Other fields of every simulated call that succeeds. */
export function simulatedCalls(edit: (call: Fields) => Fields): Lie {
  return resultOf('eth_simulateV1', (result) =>
    (result as { calls: Fields[] }[]).map((block) => ({
      ...block,
      calls: block.calls.map((call) => (call['status'] === '0x1' ? { ...call, ...edit(call) } : call)),
    })),
  );
}

/** Several lies as one: the first that has something to say about an answer. */
export function anyOf(...lies: readonly Lie[]): Lie {
  return (call, truth) => {
    for (const lie of lies) {
      const told = lie(call, truth);
      if (told) return told;
    }
    return undefined;
  };
}

/** Undefined when nothing is changed: it is then no lie. */
function changed(truth: Answer, result: unknown): Answer | undefined {
  return JSON.stringify(result) === JSON.stringify(truth.result) ? undefined : { ...truth, result };
}
