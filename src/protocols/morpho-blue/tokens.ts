import { id } from 'ethers';
import { uintAt, type Address, type Hex } from '../../domain/hex.js';
import type { Read } from '../../rpc/chain/read.js';
import { symbolOf } from '../token-symbol.js';

const SYMBOL = id('symbol()').slice(0, 10) as Hex;
const DECIMALS = id('decimals()').slice(0, 10) as Hex;
/** No token that is worth anything has more. */
const MOST_DECIMALS = 36n;

/** What never changes of a token. */
export interface Token {
  readonly address: Address;
  readonly symbol: string;
  readonly decimals: number;
}

/** Undefined for a contract that does not tell its decimals. */
export function tokenRead(address: Address): Read<Token | undefined> {
  return {
    calls: [
      { to: address, data: SYMBOL },
      { to: address, data: DECIMALS },
    ],
    decode: ([symbol, decimals]) => {
      if (!decimals?.success || decimals.data.length < 66) return undefined;
      const value = uintAt(decimals.data, 0);
      if (value > MOST_DECIMALS) return undefined;
      return { address, symbol: symbolOf(symbol, address), decimals: Number(value) };
    },
  };
}

/** The decimals of a price feed; undefined for a contract that does not tell them. */
export function decimalsRead(address: Address): Read<number | undefined> {
  return {
    calls: [{ to: address, data: DECIMALS }],
    decode: ([result]) =>
      result?.success && result.data.length >= 66 && uintAt(result.data, 0) <= MOST_DECIMALS
        ? Number(uintAt(result.data, 0))
        : undefined,
  };
}
