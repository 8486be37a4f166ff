import type { Block } from '../../domain/block.js';
import { RetryError } from '../../domain/errors.js';
import type { Address } from '../../domain/hex.js';
import type { Chain } from '../../rpc/chain/chain.js';
import { readAt } from '../../rpc/chain/read.js';
import type { AccountChanges, FollowedAccounts, MissingDebt } from '../followed.js';
import { inRanges } from '../ranges.js';
import type { Accounts } from './snapshot-file.js';

/** As the backfill reads them. */
const ACCOUNTS_AT_ONCE = 500;

export interface ProvedAccounts {
  /** The positions of all accounts at the block, and the accounts that have none. */
  readonly changes: AccountChanges;
  /** Accounts that could not be asked for, because no place of their debts is known. */
  readonly unasked: readonly Address[];
  /** Accounts that took debt after the block up to which the given ones are complete. */
  readonly later: number;
  /** Where the accounts owe less, or more, than the chain says. Empty: no account is missing. */
  readonly missing: readonly MissingDebt[];
}

/**
 * Reads accounts from the chain at a block, and compares the sums of their debts with what all accounts owe
 * together there. Of the accounts nothing is believed but that they may have debt.
 *
 * @param market a market that nothing follows.
 * @param upTo every account that has debt at this block should be given. Those that took debt later are
 *   searched in the logs.
 * @param onProgress how many blocks and accounts are left to read.
 * @throws RetryError when the chain cannot be read; MarketRefused.
 */
export async function proveAccounts(
  market: FollowedAccounts,
  chain: Chain,
  block: Block,
  { accounts, upTo }: { readonly accounts: Accounts; readonly upTo: number },
  onProgress: (left: { readonly blocks: number; readonly accounts: number }) => void = () => undefined,
): Promise<ProvedAccounts> {
  market.commitRange(await market.prepareRange(block, undefined, []), block);
  const all = new Set<Address>();
  const unasked = new Set<Address>();
  for (const [account, places] of accounts) {
    market.places?.found(account, places);
    // The sums show whether an account matters that cannot be asked for.
    if (!market.places || places.length > 0) all.add(account);
    else unasked.add(account);
  }
  let later = 0;
  await inRanges(
    (from, to) => market.accountsIn(from, to),
    upTo + 1,
    block.number,
    (found, at) => {
      for (const account of found) {
        if (!all.has(account)) later += 1;
        all.add(account);
        unasked.delete(account);
      }
      onProgress({ blocks: block.number - at, accounts: all.size });
    },
    { span: () => chain.logSpan({ archive: true }) },
  );
  const toRead = [...all];
  for (let at = 0; at < toRead.length; at += ACCOUNTS_AT_ONCE) {
    onProgress({ blocks: 0, accounts: toRead.length - at });
    const read = await market.readAccounts(toRead.slice(at, at + ACCOUNTS_AT_ONCE), block.hash);
    market.adopt(read, [], undefined);
  }
  const debts = market.debts(block);
  if (!debts)
    throw new RetryError(`${market.name}: not every account could be read at block ${block.number}`);
  const missing = await readAt(chain, debts, block.hash);
  return { changes: market.takeChanges(), unasked: [...unasked], later, missing };
}
