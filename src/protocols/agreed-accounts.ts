import { isDeepStrictEqual } from 'node:util';
import type { Hash } from '../domain/hex.js';
import type { Chain } from '../rpc/chain/chain.js';
import { readEverywhere, type Read } from '../rpc/chain/read.js';

/** Accounts that are asked of every endpoint at once. A block brings fewer. */
const MOST_AGREED = 64;
/** How long the slower endpoint is waited for. Milliseconds. */
const EACH_MS = 500;

/**
 * The accounts on which every endpoint that answers agrees (F42): what one of them invents must not enter the
 * books. For the few accounts that a block brings; a history is read from one, and proved by the totals.
 *
 * @param read of the accounts, `count` of them.
 * @param fromOne reads the same from one endpoint, where there is no other, or too many accounts.
 * @throws RetryError when no endpoint answers.
 */
export async function agreedAccounts<Account>(
  chain: Chain,
  { read, count }: { readonly read: Read<Account[]>; readonly count: number },
  block: Hash,
  fromOne: () => Promise<Account[]>,
): Promise<Account[]> {
  if (count === 0) return [];
  if (!chain.hasTwoEndpoints || count > MOST_AGREED) return fromOne();
  const [heard, ...others] = await readEverywhere(chain, read, block, { deadlineMs: EACH_MS });
  if (!heard) return fromOne();
  return heard.filter((account, index) => others.every((other) => isDeepStrictEqual(other[index], account)));
}
