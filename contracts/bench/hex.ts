import type { Hex } from '../../src/domain/hex.js';

/** ethers and the local chain give plain strings and checksummed addresses; plans take lower-case hex. */
export function hex(text: string): Hex {
  return `0x${text.slice(2).toLowerCase()}`;
}
