import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PositionRequest } from '../../devnet/index.js';
import { Stack } from '../../devnet/stack/stack.js';
import type { BotEvent } from '../../src/domain/events/events.js';
import { USD8 } from '../../src/domain/money.js';
import { eventually } from '../../testing/eventually.js';
import { send } from '../../testing/send.js';
import { closedBooks } from './hostile/honest-books.js';
import { allSettled } from './operator.js';

const ETHER = 10n ** 18n;
const usdc = (dollars: number): bigint => BigInt(dollars) * 10n ** 6n;

/** Only WETH is seized: it is sold. */
const LONG: PositionRequest = {
  collaterals: [{ symbol: 'WETH', amount: 10n * ETHER }],
  debts: [{ symbol: 'USDC', amount: usdc(23_500) }],
};
/** USDC is the best that can be seized for USDC. */
const SAME: PositionRequest = {
  collaterals: [
    { symbol: 'WETH', amount: 2n * ETHER },
    { symbol: 'USDC', amount: usdc(20_000) },
  ],
  debts: [{ symbol: 'USDC', amount: usdc(20_000) }],
};

/** Each side of most pools is worth $50,000,000. That of Aerodrome gets this on top. */
const MORE_USDC = 100_000_000;

let stack: Stack;
const events: BotEvent[] = [];
const heard = (name: BotEvent['event']): BotEvent[] => events.filter(({ event }) => event === name);

beforeAll(async () => {
  stack = await Stack.start({ borrowers: [] });
  await deepenAerodrome();
  // Other pools are left out.
  await stack.startBot((event) => events.push(event), { minPoolUsd: '150000000' });
  await stack.devnet.startMining(250);
  await eventually(() => heard('pools-read').length > 0, 'the pools to be known');
}, 180_000);

afterAll(() => stack.stop());

/** The pool of WETH and USDC, at its price. */
async function deepenAerodrome(): Promise<void> {
  const { devnet } = stack;
  const { deployer, supplier } = devnet.accounts;
  const pool = devnet.solidlyPools.find(({ token0, token1 }) => token0 === 'USDC' || token1 === 'USDC');
  if (!pool) throw new Error('there is no pool of Aerodrome with USDC');
  const weth = (BigInt(MORE_USDC) * ETHER) / 3_000n;
  await devnet.rpc('anvil_setBalance', [supplier, `0x${(2n * weth).toString(16)}`]);
  const signer = devnet.signer(supplier);
  await (await signer.sendTransaction({ to: devnet.tokens.WETH.address, value: weth })).wait();
  await send(devnet, supplier, devnet.token('WETH'), 'transfer', pool.address, weth);
  await send(devnet, deployer, devnet.token('USDC'), 'mint', pool.address, usdc(MORE_USDC));
  await signer.sendTransaction({ to: pool.address, data: '0xfff6cae9' }); // sync()
}

interface StoredRoute {
  readonly parts: readonly { readonly hops: readonly { readonly venue: string }[] }[];
}

interface Row {
  readonly borrower: string;
  readonly plan: {
    readonly funding: { readonly kind: string; readonly name: string };
    readonly profitAsset: { readonly symbol: string; readonly priceUsd8: string };
    readonly route: StoredRoute;
    readonly further?: readonly { readonly route: StoredRoute }[];
    readonly nativePriceUsd8: string;
  };
  readonly realised_profit: string;
  readonly realised_usd8: string;
  readonly fees_wei: string;
}

describe('the running bot, where no pool lends', () => {
  it('borrows, sells at Aerodrome or keeps the same token, and its books are true to the unit of the debt token', async () => {
    const { devnet } = stack;
    const treasury = async (): Promise<bigint> =>
      BigInt(String(await devnet.token('USDC').getFunction('balanceOf')(devnet.accounts.treasury)));
    const [long = '', same = ''] = await devnet.openPositions([LONG, SAME]);
    const before = await treasury();
    await devnet.setPrice('WETH', 2_600n * USD8);
    await eventually(
      async () => (await stack.query("SELECT id FROM executions WHERE status = 'succeeded'")).length === 2,
      'both to be won',
    );
    await allSettled(stack);

    const rows = await stack.query<Row>(
      `SELECT borrower, plan, realised_profit::text, trunc(realised_profit_usd * 1e8)::text AS realised_usd8,
              fees_wei::text FROM executions WHERE status = 'succeeded'`,
    );
    const of = (account: string): Row | undefined =>
      rows.find(({ borrower }) => borrower === account.toLowerCase());
    /** Of each liquidation of the borrower, which all are in one transaction. */
    const venues = (account: string): string[][][] => {
      const plan = of(account)?.plan;
      const routes = plan ? [plan.route, ...(plan.further ?? []).map(({ route }) => route)] : [];
      return routes.map(({ parts }) => parts.map(({ hops }) => hops.map(({ venue }) => venue)));
    };
    expect(venues(long)[0]).toEqual([['aerodrome']]);
    // Its WETH is sold, and its USDC kept.
    expect(venues(same)).toContainEqual([['aerodrome']]);
    expect(venues(same)).toContainEqual([]);
    for (const { plan, realised_profit, realised_usd8, fees_wei } of rows) {
      expect(plan.funding).toMatchObject({ kind: 'loan', name: 'morpho' });
      expect(plan.profitAsset.symbol).toBe('USDC');
      const grossUsd8 = (BigInt(realised_profit) * BigInt(plan.profitAsset.priceUsd8)) / 10n ** 6n;
      const feesUsd8 = (BigInt(fees_wei) * BigInt(plan.nativePriceUsd8) + ETHER - 1n) / ETHER;
      expect(BigInt(realised_usd8)).toBe(grossUsd8 - feesUsd8);
    }
    const profit = rows.reduce((sum, row) => sum + BigInt(row.realised_profit), 0n);
    expect(profit).toBeGreaterThan(usdc(900));
    // What is left of a debt token beside the profit goes there, too: here there is nothing.
    expect((await treasury()) - before).toBe(profit);
    expect(await closedBooks(stack)).toEqual([]);
    expect(heard('plan-ready')[0]).toMatchObject({ profitToken: 'USDC', funding: 'morpho' });
    const { body } = await stack.api('/api/v1/executions');
    const { executions } = body as { executions: { outcome: { profitAsset: string } }[] };
    for (const { outcome } of executions)
      expect(outcome.profitAsset).toBe(devnet.tokens.USDC.address.toLowerCase());
  }, 120_000);
});
