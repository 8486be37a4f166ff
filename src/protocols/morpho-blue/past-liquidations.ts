import { addressWord } from '../../domain/hex.js';
import type { LiquidationSearch, PastLiquidation } from '../../domain/past-liquidations.js';
import type { Chain } from '../../rpc/chain/chain.js';
import { TOPIC } from './events.js';

/** Liquidate of one borrower: the third indexed argument, after market id and caller. */
export async function pastLiquidations(
  chain: Chain,
  { market, marketId, borrower, fromBlock, toBlock }: LiquidationSearch,
): Promise<readonly PastLiquidation[]> {
  const topics = [TOPIC.liquidate, marketId ?? null, null, `0x${addressWord(borrower)}`] as const;
  return chain.getLogs({ fromBlock, toBlock }, [market], topics);
}
