import type { Address } from '../domain/hex.js';
import type { MulticallResult } from '../rpc/chain/multicall3.js';

/**
 * A token's symbol. When it cannot be read or has unusual characters, the first digits of the address are
 * shown.
 */
export function symbolOf(result: MulticallResult | undefined, token: Address): string {
  const fallback = token.slice(0, 8);
  if (!result?.success) return fallback;
  const body = Buffer.from(result.data.slice(2), 'hex');
  // A string is (offset, length, bytes). Some old tokens answer a plain bytes32.
  const bytes = body.length >= 96 ? body.subarray(64, 64 + (body[63] ?? 0)) : body.subarray(0, 32);
  const text = bytes.toString('utf8').replace(/\0/g, '');
  return /^[\w.+-]{1,24}$/u.test(text) ? text : fallback;
}
