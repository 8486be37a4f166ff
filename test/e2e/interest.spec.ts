import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PositionRequest } from '../../devnet/index.js';
import { Stack } from '../../devnet/stack/stack.js';
import type { BotEvent } from '../../src/domain/events/events.js';
import { WAD } from '../../src/domain/money.js';
import { eventually } from '../../testing/eventually.js';
import { send } from '../../testing/send.js';
import { closedBooks } from './hostile/honest-books.js';
import { allSettled } from './operator.js';

const ETHER = 10n ** 18n;
const POSITIONS = 8;
/** As the bot takes them of a chain that it does not know. */
const BLOCK_MS = 2_000;
/** The first opens so long after the price is set, the others one after the other. */
const FIRST_SECONDS = 8;
const SECONDS_BETWEEN = 3;
const YEAR_SECONDS = 365n * 24n * 3600n;
const RAY = 10n ** 27n;

/** Without debts there is no interest. It stays far above a health factor of 1. */
const WHALE: PositionRequest = {
  collaterals: [{ symbol: 'WETH', amount: 20_000n * ETHER }],
  debts: [{ symbol: 'USDC', amount: 20_000_000n * 10n ** 6n }],
};

let stack: Stack;
const events: BotEvent[] = [];

beforeAll(async () => {
  stack = await Stack.start({ borrowers: [] });
  await stack.startBot((event) => events.push(event));
  await stack.devnet.startMining(BLOCK_MS);
  await eventually(() => events.some(({ event }) => event === 'pools-read'), 'the pools to be known');
}, 180_000);

afterAll(() => stack.stop());

/** Ray a second by which a debt in dollars outgrows a collateral in ether. */
async function drift(): Promise<bigint> {
  const { devnet } = stack;
  const rates = async (symbol: 'USDC' | 'WETH'): Promise<Record<string, bigint>> =>
    (await devnet.contracts.aavePool.getFunction('getReserveData')(devnet.tokens[symbol].address)) as never;
  const [debt, collateral] = await Promise.all([rates('USDC'), rates('WETH')]);
  return (debt['currentVariableBorrowRate']! - collateral['currentLiquidityRate']!) / YEAR_SECONDS;
}

async function healthFactor(borrower: string, blockTag: number | 'latest' = 'latest'): Promise<bigint> {
  const data = (await stack.devnet.contracts.aavePool.getFunction('getUserAccountData')(borrower, {
    blockTag,
  })) as Record<string, bigint>;
  return data['healthFactor']!;
}

describe('the running bot, where no price moves', () => {
  it('liquidates each position in the first block in which interest has opened it, and sends none before', async () => {
    const { devnet } = stack;
    await devnet.openPositions([WHALE]);
    const perSecond = await drift();
    expect(perSecond).toBeGreaterThan(0n);
    const requests = Array.from({ length: POSITIONS }, (_, index): PositionRequest => {
      const debt = 22_000n * 10n ** 6n;
      const less = (debt * perSecond * BigInt(index * SECONDS_BETWEEN)) / RAY;
      return {
        collaterals: [{ symbol: 'WETH', amount: 10n * ETHER }],
        debts: [{ symbol: 'USDC', amount: debt - less }],
      };
    });
    const borrowers = await devnet.openPositions(requests);
    const [lowest = 0n] = (await Promise.all(borrowers.map((borrower) => healthFactor(borrower)))).toSorted(
      (one, other) => (one < other ? -1 : 1),
    );
    const wanted = WAD + (WAD * (await drift()) * BigInt(FIRST_SECONDS)) / RAY;
    const price = BigInt(String(await devnet.aggregator('WETH').getFunction('latestAnswer')()));
    await send(
      devnet,
      devnet.accounts.deployer,
      devnet.aggregator('WETH'),
      'setAnswer',
      (price * wanted) / lowest,
    );
    await devnet.alignPools();
    await eventually(
      async () =>
        (await stack.query("SELECT id FROM executions WHERE status = 'succeeded'")).length === POSITIONS,
      'all to be won',
    );
    await allSettled(stack);
    const rows = await stack.query<{ borrower: string; status: string; block_number: string }>(
      "SELECT borrower, status, block_number FROM executions WHERE status <> 'rejected'",
    );
    expect(rows.map(({ status }) => status)).toEqual(rows.map(() => 'succeeded'));
    expect(new Set(rows.map(({ borrower }) => borrower)).size).toBe(POSITIONS);
    // A machine that is busy may miss a head, but not five.
    const wasOpen = async (blocksBefore: number): Promise<number> => {
      const before = await Promise.all(
        rows.map((row) => healthFactor(row.borrower, Number(row.block_number) - blocksBefore)),
      );
      return before.filter((health) => health < WAD).length;
    };
    expect(await wasOpen(1)).toBeLessThanOrEqual(POSITIONS / 2);
    expect(await wasOpen(5)).toBe(0);
    expect(new Set(rows.map(({ block_number }) => block_number)).size).toBeGreaterThan(2);
    expect(await closedBooks(stack)).toEqual([]);
  }, 240_000);
});
