import type { Lie } from './lying-node.js';

interface Simulated {
  readonly gasUsed: string;
}

/** So much more than it uses a call must be given: the callee of a call gets 63/64 of what is left. */
const HEADROOM = [102n, 100n] as const;

/**
 * As geth with `rpc.gascap`: all calls of one eth_simulateV1 share the gas. A call silently gets no more than
 * what those before it have left. Where it needs more it burns that, and when a later call finds nothing the
 * node refuses the whole question.
 */
export function gasCapped(capGas: bigint): Lie {
  return ({ method }, { result }) => {
    if (method !== 'eth_simulateV1' || !Array.isArray(result)) return undefined;
    const [block] = result as readonly { readonly calls: readonly Simulated[] }[];
    if (!block) return undefined;
    let left = capGas;
    const calls: Simulated[] = [];
    for (const call of block.calls) {
      const used = BigInt(call.gasUsed);
      if (left === 0n)
        return { error: { code: -38013, message: 'err: intrinsic gas too low: have 0, want 21000' } };
      const fits = used * HEADROOM[0] <= left * HEADROOM[1];
      calls.push(fits ? call : outOfGas(left));
      left = fits ? left - used : 0n;
    }
    const isTrue = calls.every((call, index) => call === block.calls[index]);
    return isTrue ? undefined : { result: [{ ...block, calls }] };
  };
}

function outOfGas(gas: bigint): Simulated & Record<string, unknown> {
  const error = { code: -32015, message: 'out of gas' };
  return { status: '0x0', returnData: '0x', gasUsed: `0x${gas.toString(16)}`, logs: [], error };
}
