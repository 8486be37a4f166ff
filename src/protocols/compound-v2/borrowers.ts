import { addressAt, type Address, type Hex } from '../../domain/hex.js';
import type { RawLog } from '../../rpc/chain/chain-answers.js';
import { TOPIC } from './events.js';
import type { CompoundMarket } from './market.js';

/** Logs that name a borrower. */
export function borrowFilter({ mTokens }: CompoundMarket): {
  readonly addresses: readonly Address[];
  readonly topics: readonly Hex[];
} {
  return { addresses: [...mTokens.values()].map(({ address }) => address), topics: [TOPIC.borrow] };
}

/** The first word of each Borrow. */
export function borrowersOf(logs: readonly RawLog[]): Set<Address> {
  return new Set(
    logs.flatMap(({ topics, data }) => (topics[0] === TOPIC.borrow ? [addressAt(data, 0)] : [])),
  );
}
