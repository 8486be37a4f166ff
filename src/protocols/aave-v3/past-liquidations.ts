import { addressWord } from '../../domain/hex.js';
import type { LiquidationSearch, PastLiquidation } from '../../domain/past-liquidations.js';
import type { Chain } from '../../rpc/chain/chain.js';
import { TOPIC } from './events.js';

/** IPool.LiquidationCall of one user: the third indexed argument, after collateral and debt asset. */
export async function pastLiquidations(
  chain: Chain,
  { market, borrower, fromBlock, toBlock }: LiquidationSearch,
): Promise<readonly PastLiquidation[]> {
  const topics = [TOPIC.liquidationCall, null, null, `0x${addressWord(borrower)}`] as const;
  return chain.getLogs({ fromBlock, toBlock }, [market], topics);
}
