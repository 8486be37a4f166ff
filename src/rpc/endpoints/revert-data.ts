import type { Hex } from '../../domain/hex.js';

/** How deep the data is looked for in an object: providers wrap the error of the node in one of their own. */
const DEEPEST = 4;
const HEX = /^0x(?:[0-9a-fA-F]{2})*$/;
/** "Reverted 0x…" of nethermind and parity, "execution reverted: 0x…" of some gateways. */
const HEX_IN_WORDS = /\b(?:reverted|revert)\b:? ?(0x(?:[0-9a-fA-F]{2})+)\b/i;

/**
 * The bytes with which a call reverted, as the error of a node holds them; `0x` where it holds none. Most
 * nodes give hex in `data`. Nethermind and parity give "Reverted 0x…", hardhat, ganache and some gateways an
 * object that holds `data`, `result`, `output` or `return`, or another error, or one by transaction hash.
 */
export function revertDataOf(error: { readonly message?: unknown; readonly data?: unknown }): Hex {
  return found(error.data, DEEPEST) ?? inWords(error.message) ?? '0x';
}

function found(raw: unknown, depth: number): Hex | undefined {
  if (typeof raw === 'string') {
    const text = raw.trim();
    return HEX.test(text) && text !== '0x' ? (text.toLowerCase() as Hex) : inWords(text);
  }
  if (depth === 0 || typeof raw !== 'object' || raw === null || Array.isArray(raw)) return undefined;
  const fields = raw as Record<string, unknown>;
  const named = ['data', 'result', 'output', 'return', 'returnData', 'originalError', 'error'];
  for (const name of named) {
    const inside = Object.hasOwn(fields, name) ? found(fields[name], depth - 1) : undefined;
    if (inside !== undefined) return inside;
  }
  for (const [name, value] of Object.entries(fields).slice(0, 4)) {
    if (named.includes(name) || typeof value !== 'object') continue;
    const inside = found(value, depth - 1);
    if (inside !== undefined) return inside;
  }
  return undefined;
}

function inWords(text: unknown): Hex | undefined {
  return typeof text === 'string'
    ? (HEX_IN_WORDS.exec(text)?.[1]?.toLowerCase() as Hex | undefined)
    : undefined;
}
