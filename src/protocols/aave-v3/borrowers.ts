import { id } from 'ethers';
import { addressFromWord, type Address, type Hex } from '../../domain/hex.js';
import type { RawLog } from '../../rpc/chain/chain-answers.js';
import type { AaveMarket } from './market.js';

const BORROW = id('Borrow(address,address,address,uint256,uint8,uint256,uint16)') as Hex;

/** Logs that name a borrower: IPool.Borrow, onBehalfOf is the second indexed argument. */
export function borrowFilter(market: AaveMarket): { address: Address; topics: Hex[] } {
  return { address: market.pool, topics: [BORROW] };
}

/** onBehalfOf of each IPool.Borrow. */
export function borrowersOf(logs: readonly RawLog[]): Set<Address> {
  const borrowers = new Set<Address>();
  for (const log of logs) {
    if (log.topics[0] === BORROW && log.topics[2]) borrowers.add(addressFromWord(log.topics[2]));
  }
  return borrowers;
}
