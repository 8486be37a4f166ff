import { addressAt, type Address, type Hex } from '../../domain/hex.js';
import type { RawLog } from '../../rpc/chain/chain-answers.js';
import type { AccountChange } from './events.js';
import { TOPIC } from './events.js';
import { borrowBalance, type CompoundAccount, type CompoundMarket } from './market.js';

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

/**
 * Accounts that were read from the chain, with the principal and index of each debt that the logs up to there
 * tell: from now on exact, where a debt that was read alone may come out too low.
 */
export function withLoggedDebts(
  read: readonly CompoundAccount[],
  changes: readonly AccountChange[],
): readonly CompoundAccount[] {
  if (read.length === 0) return read;
  const last = new Map<string, { readonly principal: bigint; readonly interestIndex: bigint }>();
  for (const change of changes) {
    if (change.kind !== 'debt') continue;
    const { account, mTokenId, principal, interestIndex } = change;
    const key = `${account} ${mTokenId}`;
    if (interestIndex === undefined) last.delete(key);
    else last.set(key, { principal, interestIndex });
  }
  return read.map((account) => ({
    ...account,
    legs: account.legs.map((leg) => {
      const logged = last.get(`${account.address} ${leg.mTokenId}`);
      // A debt that was read has the market's index of that block.
      const isSame = logged && borrowBalance(logged, { borrowIndex: leg.interestIndex }) === leg.principal;
      return isSame && leg.principal > 0n ? { ...leg, ...logged } : leg;
    }),
  }));
}
