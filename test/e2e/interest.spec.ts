import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stack } from '../../devnet/stack/stack.js';
import type { BotEvent } from '../../src/domain/events/events.js';
import { WAD } from '../../src/domain/money.js';
import { eventually } from '../../testing/eventually.js';
import { healthFactor, openByInterest } from '../../testing/openings.js';
import { closedBooks } from './hostile/honest-books.js';
import { allSettled } from './operator.js';

const ETHER = 10n ** 18n;
const POSITIONS = 8;
/** As the bot takes them of a chain that it does not know. */
const BLOCK_MS = 2_000;
/** The first opens so long after the price is set, the others one after the other. */
const FIRST_SECONDS = 8;
const SECONDS_BETWEEN = 3;
let stack: Stack;
const events: BotEvent[] = [];

beforeAll(async () => {
  stack = await Stack.start({ borrowers: [] });
  await stack.startBot((event) => events.push(event));
  await stack.devnet.startMining(BLOCK_MS);
  await eventually(() => events.some(({ event }) => event === 'pools-read'), 'the pools to be known');
}, 180_000);

afterAll(() => stack.stop());

describe('the running bot, where no price moves', () => {
  it('liquidates each position in the first block in which interest has opened it, and sends none before', async () => {
    const { devnet } = stack;
    await openByInterest(devnet, {
      seconds: Array.from({ length: POSITIONS }, (_, index) => FIRST_SECONDS + index * SECONDS_BETWEEN),
      wethEach: 10n * ETHER,
    });
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
        rows.map((row) => healthFactor(devnet, row.borrower, Number(row.block_number) - blocksBefore)),
      );
      return before.filter((health) => health < WAD).length;
    };
    expect(await wasOpen(1)).toBeLessThanOrEqual(POSITIONS / 2);
    expect(await wasOpen(5)).toBe(0);
    expect(new Set(rows.map(({ block_number }) => block_number)).size).toBeGreaterThan(2);
    expect(await closedBooks(stack)).toEqual([]);
  }, 240_000);
});
