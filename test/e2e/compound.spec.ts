import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stack } from '../../devnet/stack/stack.js';
import type { BotEvent } from '../../src/domain/events/events.js';
import { USD8 } from '../../src/domain/money.js';
import { eventually } from '../../testing/eventually.js';
import { closedBooks } from './hostile/honest-books.js';
import { allSettled } from './operator.js';

const ETHER = 10n ** 18n;
const usdc = (dollars: number): bigint => BigInt(dollars) * 10n ** 6n;

let stack: Stack;
const events: BotEvent[] = [];
const heard = (name: BotEvent['event']): BotEvent[] => events.filter(({ event }) => event === name);

beforeAll(async () => {
  stack = await Stack.start({ borrowers: [] });
  await stack.startBot((event) => events.push(event), { beside: ['compound'] });
  await stack.devnet.startMining(250);
  await eventually(() => heard('pools-read').length > 0, 'the pools to be known');
}, 180_000);

afterAll(() => stack.stop());

interface Row {
  readonly protocol: string;
  readonly borrower: string;
  readonly realised_profit: string;
}

describe('the running bot, with Compound v2 beside Aave', () => {
  it('liquidates a position of a token and one of native ether, and its books are true', async () => {
    const { devnet } = stack;
    const debt = { symbol: 'USDC', amount: usdc(24_000) } as const;
    const borrowers = [
      await devnet.openCompoundPosition({ collateral: { symbol: 'WETH', amount: 10n * ETHER }, debt }),
      // Its market pays ether, which our contract wraps.
      await devnet.openCompoundPosition({ collateral: { symbol: 'native', amount: 10n * ETHER }, debt }),
    ];
    const owed = async (borrower: string): Promise<bigint> =>
      BigInt(String(await devnet.mToken('USDC').getFunction('borrowBalanceStored')(borrower)));
    await devnet.setPrice('WETH', 2_850n * USD8);

    const won = async (): Promise<Row[]> =>
      stack.query<Row>(
        "SELECT protocol, borrower, realised_profit::text FROM executions WHERE status = 'succeeded'",
      );
    await eventually(async () => (await won()).length >= 2, 'both to be won');
    await allSettled(stack);

    const rows = await won();
    expect(rows.map(({ protocol }) => protocol)).toEqual(rows.map(() => 'compound'));
    for (const borrower of borrowers) {
      expect(rows.map((row) => row.borrower)).toContain(borrower.toLowerCase());
      // Half of it is covered at once.
      expect(await owed(borrower)).toBeLessThan(usdc(12_100));
    }
    for (const { realised_profit } of rows) expect(BigInt(realised_profit)).toBeGreaterThan(0n);
    expect(await closedBooks(stack)).toEqual([]);
  }, 120_000);
});
