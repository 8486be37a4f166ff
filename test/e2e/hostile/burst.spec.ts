import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PositionRequest } from '../../../devnet/index.js';
import { Stack } from '../../../devnet/stack/stack.js';
import type { StatusAnswer } from '../../../src/api/status-answer.js';
import { USD8 } from '../../../src/domain/money.js';
import { eventually } from '../../../testing/eventually.js';
import { HoldingNode } from '../../../testing/nodes/holding-node.js';
import { allSettled } from '../operator.js';
import { closedBooks } from './honest-books.js';

const POSITIONS = 60;
const MAX_DAILY_LOSS_USD = 150n;

/** 1 WETH of collateral for 2,350 USDC: health factor 1.06 at $3,000. */
const longEther: PositionRequest = {
  collaterals: [{ symbol: 'WETH', amount: 10n ** 18n }],
  debts: [{ symbol: 'USDC', amount: 2_350n * 10n ** 6n }],
};

let stack: Stack;
let node: HoldingNode;

beforeEach(async () => {
  stack = await Stack.start({ borrowers: [] });
  await stack.devnet.openPositions(Array.from({ length: POSITIONS }, () => longEther));
  node = await HoldingNode.start({ http: stack.devnet.rpcUrl, ws: stack.devnet.wsUrl });
});

afterEach(async () => {
  await stack.stop();
  await node.stop();
});

describe('F48 a burst of reverts', () => {
  it(`${POSITIONS} positions can be liquidated, the price comes back before anything is mined: the loss stays within the budget, and the next fall is liquidated`, async () => {
    const { devnet } = stack;
    const { provider, accounts } = devnet;
    const start = await devnet.prices();
    await stack.startBot(undefined, {
      rpcUrl: node.httpUrl,
      wsUrl: node.wsUrl,
      maxDailyLossUsd: String(MAX_DAILY_LOSS_USD),
    });
    const before = await provider.getBalance(accounts.operator);
    node.hold();
    await devnet.startMining(250);
    await devnet.setPrice('WETH', 2_800n * USD8);
    await eventually(() => node.holding > 0, 'a transaction');
    const liquidatable = async (): Promise<number> => (await skippedOrPlanned()).size;
    await eventually(async () => (await liquidatable()) > 0, 'decisions');
    await devnet.setPrices(start);
    const sent = await node.release((raw) => devnet.rpc('eth_sendRawTransaction', [raw]));
    expect(sent).toBeGreaterThan(0);
    await allSettled(stack);

    // Mined and reverted, or cancelled where the bot saw in time that they would revert.
    const failed = await stack.query(
      "SELECT id FROM executions WHERE status IN ('reverted', 'cancelled', 'dropped')",
    );
    expect(failed.length).toBeGreaterThan(0);
    const lostWei = before - (await provider.getBalance(accounts.operator));
    const lostUsd8 = (lostWei * start.WETH) / 10n ** 18n;
    expect(lostUsd8).toBeLessThanOrEqual(MAX_DAILY_LOSS_USD * USD8);
    expect((await status()).safety.state).not.toBe('HALTED');

    const block = await provider.getBlockNumber();
    await devnet.setPrice('WETH', 2_780n * USD8);
    await eventually(async () => (await wonAfter(block)) > 0, 'a liquidation of the next fall');
    await allSettled(stack);
    expect(await closedBooks(stack)).toEqual([]);
    const allLostUsd8 = await lossesUsd8();
    expect(allLostUsd8).toBeLessThanOrEqual(MAX_DAILY_LOSS_USD * USD8);
  });
});

async function status(): Promise<StatusAnswer> {
  return (await stack.api('/api/v1/status')).body as StatusAnswer;
}

async function skippedOrPlanned(): Promise<Set<string>> {
  const rows = await stack.query<{ borrower: string }>('SELECT borrower FROM executions');
  return new Set(rows.map(({ borrower }) => borrower));
}

async function wonAfter(block: number): Promise<number> {
  const rows = await stack.query(
    "SELECT id FROM executions WHERE status = 'succeeded' AND block_number > $1",
    [block],
  );
  return rows.length;
}

/** What transactions cost that won nothing: USD with 8 decimals. */
async function lossesUsd8(): Promise<bigint> {
  const rows = await stack.query<{ lost: string | null }>(
    "SELECT floor(-sum(realised_profit_usd) * 1e8)::text AS lost FROM executions WHERE status IN ('reverted', 'cancelled')",
  );
  return BigInt(rows[0]?.lost ?? 0);
}
