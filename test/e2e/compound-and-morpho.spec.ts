import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stack } from '../../devnet/stack/stack.js';
import type { BotEvent } from '../../src/domain/events/events.js';
import { USD8 } from '../../src/domain/money.js';
import { eventually } from '../../testing/eventually.js';
import { LyingNode } from '../../testing/nodes/lying-node.js';
import { closedBooks } from './hostile/honest-books.js';
import { allSettled } from './operator.js';

const ETHER = 10n ** 18n;
const usdc = (dollars: number): bigint => BigInt(dollars) * 10n ** 6n;

/** Long enough for what comes each 5 s. */
const IDLE_MS = 6_000;

let stack: Stack;
/** Before the chain, for what is asked over HTTP. */
let node: LyingNode;
const events: BotEvent[] = [];
const heard = (name: BotEvent['event']): BotEvent[] => events.filter(({ event }) => event === name);

beforeAll(async () => {
  stack = await Stack.start({ borrowers: [] });
  const { rpcUrl: http, wsUrl: ws } = stack.devnet;
  node = await LyingNode.start({ http, ws });
  await stack.startBot((event) => events.push(event), {
    rpcUrl: node.httpUrl,
    wsUrl: ws,
    beside: ['compound', 'morpho'],
  });
  await stack.devnet.startMining(250);
  await eventually(() => heard('pools-read').length > 0, 'the pools to be known');
}, 180_000);

afterAll(async () => {
  await stack.stop();
  await node.stop();
});

interface Row {
  readonly borrower: string;
  readonly market_id: string | null;
  readonly plan: { readonly funding: { readonly kind: string } };
  readonly realised_profit: string;
}

describe('the running bot, with Compound v2 and Morpho Blue beside Aave', () => {
  it('asks one call a block while nothing happens, and a few more a second', async () => {
    const { devnet } = stack;
    const debt = { symbol: 'USDC', amount: usdc(100) } as const;
    await devnet.openCompoundPosition({ collateral: { symbol: 'WETH', amount: ETHER }, debt });
    const market = devnet.morphoMarket('WETH', 'USDC');
    await devnet.openMorphoPosition({ market, collateral: ETHER, debt: usdc(100) });
    await sleep(2_000);
    const asked: string[] = [];
    const firstBlock = await devnet.provider.getBlockNumber();
    const began = performance.now();
    node.onRequest = (calls) => {
      asked.push(...calls.map(({ method }) => method));
      return Promise.resolve();
    };
    await sleep(IDLE_MS);
    node.onRequest = undefined;
    const seconds = (performance.now() - began) / 1_000;
    const blocks = (await devnet.provider.getBlockNumber()) - firstBlock;
    const count = (method: string): number => asked.filter((one) => one === method).length;
    // Of everything that no log tells, at each head, and of the comparison with the chain, each second.
    expect(count('eth_call')).toBeLessThanOrEqual(blocks + 1 + 1.3 * seconds + 3);
    // What comes each second comes no sooner than after 900 ms.
    for (const method of ['eth_getTransactionCount', 'eth_getBalance'])
      expect(count(method), method).toBeLessThanOrEqual(1.15 * seconds + 2);
    const named = ['eth_call', 'eth_getTransactionCount', 'eth_getBalance'];
    const others = asked.filter((method) => !named.includes(method));
    expect(others.length, others.join()).toBeLessThanOrEqual(seconds + 5);
    expect(count('eth_getTransactionCount')).toBeGreaterThan(0);
  }, 60_000);

  it('liquidates on Compound a position of a token and one of native ether, and its books are true', async () => {
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
    const rows = await wonBoth('compound');
    for (const borrower of borrowers) {
      expect(rows.map((row) => row.borrower)).toContain(borrower.toLowerCase());
      // Half of it is covered at once.
      expect(await owed(borrower)).toBeLessThan(usdc(12_100));
    }
  }, 120_000);

  it('liquidates on Morpho two markets of one borrower, and its books are true', async () => {
    const { devnet } = stack;
    await devnet.setPrice('WETH', 3_000n * USD8);
    const [ether, coinbase] = [devnet.morphoMarket('WETH', 'USDC'), devnet.morphoMarket('cbETH', 'USDC')];
    const borrower = await devnet.openMorphoPosition({
      ...{ market: ether, collateral: 10n * ETHER, debt: usdc(25_000) },
    });
    await devnet.openMorphoPosition({
      ...{ account: borrower, market: coinbase, collateral: 10n * ETHER, debt: usdc(26_500) },
    });
    await devnet.setPrice('WETH', 2_880n * USD8);
    await devnet.setPrice('cbETH', 3_050n * USD8);
    const rows = await wonBoth('morpho');
    expect(rows.map(({ market_id }) => market_id).toSorted()).toEqual([ether.id, coinbase.id].toSorted());
    for (const row of rows) {
      expect(row.borrower).toBe(borrower.toLowerCase());
      expect(['callback', 'flash-swap']).toContain(row.plan.funding.kind);
    }
    for (const { id } of [ether, coinbase]) {
      const position = (await devnet.contracts.morpho.getFunction('position')(id, borrower)) as bigint[];
      expect(position[1]).toBe(0n);
    }
  }, 120_000);
});

/** Two liquidations of a market, both with a profit, after which the books are closed and true. */
async function wonBoth(protocol: string): Promise<Row[]> {
  const won = (): Promise<Row[]> =>
    stack.query<Row>(
      `SELECT borrower, market_id, plan, realised_profit::text FROM executions WHERE status = 'succeeded' AND protocol = '${protocol}'`,
    );
  await eventually(async () => (await won()).length >= 2, `two liquidations on ${protocol}`);
  await allSettled(stack);
  const rows = await won();
  for (const { realised_profit } of rows) expect(BigInt(realised_profit)).toBeGreaterThan(0n);
  expect(await closedBooks(stack)).toEqual([]);
  return rows;
}
