/** The books of the bot against the chain itself. */
import type { TransactionReceipt } from 'ethers';
import type { Stack } from '../../../devnet/stack/stack.js';
import { toAddress, type Hex } from '../../../src/domain/hex.js';
import type { LiquidatedEvent } from '../../../src/contract/bindings.js';
import { liquidatedEvents } from '../../../src/contract/contract.js';
import { leavesNothing } from '../invariants.js';

interface Row {
  readonly nonce: string;
  readonly hash: string;
  readonly status: string;
  readonly execution: string | null;
  readonly gas_used: string | null;
  readonly realised_profit: string | null;
  readonly debt_covered: string | null;
  readonly collateral_seized: string | null;
  readonly collateral_asset: string | null;
  readonly debt_asset: string | null;
  readonly profit_asset: string | null;
}

/**
 * Every row of the chain that says something else than the chain does, as a sentence: none when the books are
 * true.
 *
 * @param wallet the only one that the database knows of this chain.
 */
export async function closedBooks(
  stack: Stack,
  wallet: string = stack.devnet.accounts.operator,
): Promise<string[]> {
  const { provider, addresses, chainId } = stack.devnet;
  const rows = await stack.query<Row>(
    `SELECT t.nonce::text, t.hash, t.status, e.status AS execution, e.gas_used::text, e.realised_profit::text,
            e.debt_covered::text, e.collateral_seized::text, e.collateral_asset, e.debt_asset,
            e.plan->'profitAsset'->>'address' AS profit_asset
       FROM transactions t LEFT JOIN executions e ON e.id = t.execution_id
      WHERE t.chain_id = $1 ORDER BY t.nonce`,
    [chainId],
  );
  const mined = rows.filter(({ status }) => status === 'mined');
  const count = await provider.getTransactionCount(wallet);
  const wrong =
    mined.length === count ? [] : [`the chain has ${count} transactions, the books ${mined.length}`];
  for (const row of mined) {
    const receipt = await provider.getTransactionReceipt(row.hash);
    if (!receipt) wrong.push(`nonce ${row.nonce} is not on the chain`);
    else if (row.execution === 'succeeded' || row.execution === 'reverted')
      wrong.push(...differences(row, receipt, addresses.chimera));
  }
  return wrong;
}

function differences(row: Row, receipt: TransactionReceipt, chimera: string): string[] {
  const status = receipt.status === 1 ? 'succeeded' : 'reverted';
  const logs = receipt.logs.map(({ address, topics, data }) => ({
    address: toAddress(address),
    topics: topics as Hex[],
    data: data as Hex,
  }));
  const events = status === 'reverted' ? [] : liquidatedEvents(logs, toAddress(chimera));
  /** Of several liquidations the sum of those with the token of the row. */
  const amount = (of: (event: LiquidatedEvent) => [token: string, units: bigint], token: string | null) => {
    const units = events.map(of).map(([own, units]) => (own === token ? units : 0n));
    return events.length === 0 ? null : String(units.reduce((sum, one) => sum + one, 0n));
  };
  const facts: [string, unknown, unknown][] = [
    ['status', row.execution, status],
    ['gas used', row.gas_used, String(receipt.gasUsed)],
    [
      'profit',
      row.realised_profit,
      amount(({ profitToken, profit }) => [profitToken, profit], row.profit_asset),
    ],
    [
      'debt covered',
      row.debt_covered,
      amount(({ debtAsset, debtCovered }) => [debtAsset, debtCovered], row.debt_asset),
    ],
    [
      'collateral seized',
      row.collateral_seized,
      amount((event) => [event.collateralAsset, event.collateralSeized], row.collateral_asset),
    ],
  ];
  const different = facts.flatMap(([what, ours, chain]) =>
    ours === chain
      ? []
      : [`nonce ${row.nonce}: ${what} is ${String(ours)} in the books, ${String(chain)} on the chain`],
  );
  return [...different, ...leavesNothing(receipt, chimera)];
}
