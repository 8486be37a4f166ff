import type { Block, Head } from '../../src/domain/block.js';
import type { Hash } from '../../src/domain/hex.js';

/** The hash of the block with this number on a branch. */
export function blockHash(number: number, branch = 0): Hash {
  return `0x${branch.toString(16).padStart(8, '0')}${number.toString(16).padStart(56, '0')}`;
}

/** A block, each the child of the one below it on its branch. */
export function aBlock(number: number, more: Partial<Block> & { readonly branch?: number } = {}): Block {
  const { branch = 0, ...fields } = more;
  return {
    number,
    hash: blockHash(number, branch),
    parentHash: blockHash(number - 1, branch),
    timestamp: 1_700_000_000 + 2 * number,
    baseFeePerGas: 1_000_000n,
    ...fields,
  };
}

export function aHead(number: number, more: Partial<Head> & { readonly branch?: number } = {}): Head {
  const { receivedAtMs = 0, ...fields } = more;
  return { ...aBlock(number, fields), receivedAtMs };
}
