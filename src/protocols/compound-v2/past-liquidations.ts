import { addressAt } from '../../domain/hex.js';
import type { LiquidationSearch, PastLiquidation } from '../../domain/past-liquidations.js';
import type { Chain } from '../../rpc/chain/chain.js';
import { readAt } from '../../rpc/chain/read.js';
import { TOPIC } from './events.js';
import { comptrollerRead } from './reads.js';

/**
 * CToken.LiquidateBorrow of one borrower: its second word. Nothing of it is indexed, so that the logs of all
 * markets are looked through.
 */
export async function pastLiquidations(
  chain: Chain,
  { protocol, market, borrower, fromBlock, toBlock }: LiquidationSearch,
): Promise<readonly PastLiquidation[]> {
  const { hash } = await chain.getBlock('latest');
  const { markets } = await readAt(chain, comptrollerRead(protocol, market), hash);
  const logs = await chain.getLogs({ fromBlock, toBlock }, markets, [TOPIC.liquidateBorrow]);
  return logs.filter(({ data }) => addressAt(data, 1) === borrower);
}
