import type { Hex } from '../../src/domain/hex.js';

/** ethers and the local chain speak of plain strings and checksummed addresses; plans want lower-case hex. */
export function hex(text: string): Hex {
  return `0x${text.slice(2).toLowerCase()}`;
}
