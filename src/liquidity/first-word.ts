import type { Address, Hex } from '../domain/hex.js';
import type { Read } from '../rpc/chain/read.js';

/** The answer to a call, of one word at least; undefined when the call reverts or answers nothing. */
export function firstWord(to: Address, data: Hex): Read<Hex | undefined> {
  return {
    calls: [{ to, data }],
    decode: ([result]) => (result?.success && result.data.length >= 66 ? result.data : undefined),
  };
}
