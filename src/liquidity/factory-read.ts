import { addressAt, addressWord, uintWord, type Address, type Hex } from '../domain/hex.js';
import type { Read } from '../rpc/chain/read.js';
import type { TokenPair } from './pool.js';

/**
 * The pool that a factory has for two tokens and a parameter; undefined where it has none, or is none.
 *
 * @param getPool selector of getPool(address,address,uint24), (…,int24) or (…,bool).
 */
export function poolRead(
  factory: Address,
  getPool: Hex,
  [a, b]: TokenPair,
  parameter: number,
): Read<Address | undefined> {
  return {
    calls: [{ to: factory, data: `${getPool}${addressWord(a)}${addressWord(b)}${uintWord(parameter)}` }],
    decode: ([result]) => {
      if (!result?.success || result.data === '0x') return undefined;
      const address = addressAt(result.data, 0);
      return /^0x0+$/.test(address) ? undefined : address;
    },
  };
}
