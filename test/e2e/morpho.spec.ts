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
  await stack.startBot((event) => events.push(event), { beside: ['morpho'] });
  await stack.devnet.startMining(250);
  await eventually(() => heard('pools-read').length > 0, 'the pools to be known');
}, 180_000);

afterAll(() => stack.stop());

interface Row {
  readonly protocol: string;
  readonly borrower: string;
  readonly market_id: string | null;
  readonly plan: { readonly funding: { readonly kind: string } };
  readonly realised_profit: string;
}

describe('the running bot, with Morpho Blue beside Aave', () => {
  it('liquidates two markets of one borrower, and its books are true', async () => {
    const { devnet } = stack;
    const [ether, coinbase] = [devnet.morphoMarket('WETH', 'USDC'), devnet.morphoMarket('cbETH', 'USDC')];
    const borrower = await devnet.openMorphoPosition({
      ...{ market: ether, collateral: 10n * ETHER, debt: usdc(25_000) },
    });
    await devnet.openMorphoPosition({
      ...{ account: borrower, market: coinbase, collateral: 10n * ETHER, debt: usdc(26_500) },
    });
    await devnet.setPrice('WETH', 2_880n * USD8);
    await devnet.setPrice('cbETH', 3_050n * USD8);

    const won = async (): Promise<Row[]> =>
      stack.query<Row>(
        "SELECT protocol, borrower, market_id, plan, realised_profit::text FROM executions WHERE status = 'succeeded'",
      );
    await eventually(async () => (await won()).length >= 2, 'both markets to be won');
    await allSettled(stack);

    const rows = await won();
    expect(rows.map(({ market_id }) => market_id).toSorted()).toEqual([ether.id, coinbase.id].toSorted());
    for (const row of rows) {
      expect(row).toMatchObject({ protocol: 'morpho', borrower: borrower.toLowerCase() });
      expect(['callback', 'flash-swap']).toContain(row.plan.funding.kind);
      expect(BigInt(row.realised_profit)).toBeGreaterThan(0n);
    }
    for (const { id } of [ether, coinbase]) {
      const position = (await devnet.contracts.morpho.getFunction('position')(id, borrower)) as bigint[];
      expect(position[1]).toBe(0n);
    }
    expect(await closedBooks(stack)).toEqual([]);
  }, 120_000);
});
