import type { Devnet } from '../devnet/index.js';
import type { ChimeraConfig } from '../src/config/index.js';
import { toAddress, type Hash } from '../src/domain/hex.js';
import type { PoolsView } from '../src/liquidity/pool-book.js';
import { pairsOf, PoolReader, venuesOf } from '../src/liquidity/pool-reader.js';
import type { Pool } from '../src/liquidity/pool.js';
import type { Chain } from '../src/rpc/chain/chain.js';

/** All pools of the local chain at a block, read at once. */
export async function poolsAt(
  devnet: Devnet,
  chain: Chain,
  { liquidity }: Pick<ChimeraConfig, 'liquidity'>,
  block: Hash,
): Promise<PoolsView> {
  const reader = new PoolReader(chain, venuesOf(liquidity));
  const tokens = Object.values(devnet.tokens).map(({ address }) => toAddress(address));
  const states = await reader.states(await reader.find(pairsOf(tokens), block), block);
  return viewOfPools([...states.values()].flatMap((pool) => pool ?? []));
}

export function viewOfPools(pools: readonly Pool[]): PoolsView {
  return { pools: new Map(pools.map((pool) => [pool.address, pool])), isWhole: true };
}
