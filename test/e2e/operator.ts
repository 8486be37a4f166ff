import type { Stack } from '../../devnet/stack/stack.js';
import { eventually } from '../../testing/eventually.js';

/** How many of the operator's transactions the chain has mined. */
export function minedCount({ devnet }: Stack): Promise<number> {
  return devnet.provider.getTransactionCount(devnet.accounts.operator);
}

/** The hashes of all that the operator has ever signed: the row of each is written before it is broadcast. */
export async function signedHashes(stack: Stack): Promise<string[]> {
  const rows = await stack.query<{ hash: string }>('SELECT hash FROM transactions ORDER BY nonce, id');
  return rows.map(({ hash }) => hash);
}

/** The hashes of the transactions that the database has as mined. */
export async function minedHashes(stack: Stack): Promise<string[]> {
  const rows = await stack.query<{ hash: string }>("SELECT hash FROM transactions WHERE status = 'mined'");
  return rows.map(({ hash }) => hash);
}

/**
 * Waits until no transaction of the chain is in flight any more.
 *
 * @returns how many transactions the chain has mined by then
 */
export async function allSettled(stack: Stack): Promise<number> {
  await eventually(async () => {
    const open = await stack.query(
      "SELECT id FROM transactions WHERE chain_id = $1 AND status IN ('prepared', 'broadcast')",
      [stack.devnet.chainId],
    );
    return open.length === 0;
  }, 'every transaction to be settled');
  return minedCount(stack);
}

/** The status of an execution by the receipt of its transaction. A cancellation pays ourselves. */
export async function outcomeOf({ devnet }: Stack, hash: string): Promise<string> {
  const receipt = await devnet.provider.getTransactionReceipt(hash);
  if (receipt?.status !== 1) return 'reverted';
  return receipt.to === receipt.from ? 'cancelled' : 'succeeded';
}
