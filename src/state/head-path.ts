import type { Block } from '../domain/block.js';
import type { Hash } from '../domain/hex.js';
import type { Chain } from '../rpc/chain/chain.js';
import { RpcError } from '../rpc/rpc-errors.js';
import type { BlockRing } from './block-ring.js';

/** This many headers are read first, because a reorg is rarely deeper. */
const FIRST_LOOK_BACK = 8;

/**
 * The way from the state's tip to a new head:
 * - `stale`: the head is at or below the tip, a late answer;
 * - `walk`: back to `ancestor`, a block of the ring, and forward over `blocks`, each the child of the one
 *   before;
 * - `far`: the head is too many blocks ahead to apply the blocks one by one;
 * - `too-deep`: the branch of the head left our branch before the ring's oldest block.
 */
export type HeadPath =
  | { readonly kind: 'stale' }
  | { readonly kind: 'walk'; readonly ancestor: Hash; readonly blocks: readonly Block[] }
  | { readonly kind: 'far' }
  | { readonly kind: 'too-deep' };

/**
 * @param longestWalk blocks. The logs of a longer gap are not read block by block but in ranges, as after a
 *   restart.
 * @throws RpcError when the headers between tip and head cannot be read, or belong to another branch than the
 *   head.
 */
export async function pathTo(
  head: Block,
  ring: BlockRing<unknown>,
  chain: Chain,
  longestWalk: number,
): Promise<HeadPath> {
  const { tip, oldest } = ring;
  if (ring.has(head.hash)) return { kind: 'stale' };
  // A late head, of a branch that the chain has left.
  if (head.number <= tip.number && (await isOnChain(tip, chain))) return { kind: 'stale' };
  if (head.number - tip.number > longestWalk) return { kind: 'far' };

  let blocks: Block[] = [head];
  let lookBack = FIRST_LOOK_BACK;
  for (let first = head; !ring.has(first.parentHash); first = blocks[0] ?? head) {
    if (first.number - 1 <= oldest.number) return { kind: 'too-deep' };
    // For a gap, exactly the missing headers are read. For a reorg, a few headers first, then more and more.
    const missing = first.number - 1 - tip.number;
    const from = missing > 0 ? tip.number + 1 : Math.max(oldest.number + 1, first.number - lookBack);
    if (missing <= 0) lookBack *= 4;
    const earlier = await chain.getBlocks(from, first.number - 1);
    if (earlier.at(-1)?.hash !== first.parentHash)
      throw new RpcError('out-of-sync', 'rpc', `the blocks below ${first.number} are of another branch`);
    blocks = [...earlier, ...blocks];
  }
  // The headers may reach further back than the ancestor.
  const start = blocks.findLastIndex(({ parentHash }) => ring.has(parentHash));
  return { kind: 'walk', ancestor: blocks[start]?.parentHash ?? tip.hash, blocks: blocks.slice(start) };
}

/** Whether the chain has exactly this block. @throws RpcError when that could not be read. */
export async function isOnChain(
  { number, hash }: Pick<Block, 'number' | 'hash'>,
  chain: Chain,
): Promise<boolean> {
  try {
    return (await chain.getBlock(number)).hash === hash;
  } catch (error) {
    // A chain that became shorter no longer has this number at all.
    if (error instanceof RpcError && error.kind === 'out-of-sync') return false;
    throw error;
  }
}
