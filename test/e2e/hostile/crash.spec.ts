import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PositionRequest } from '../../../devnet/index.js';
import { Stack } from '../../../devnet/stack/stack.js';
import type { BotEvent } from '../../../src/domain/events/events.js';
import { USD8 } from '../../../src/domain/money.js';
import { eventually } from '../../../testing/eventually.js';
import { metricOf } from '../../../testing/metrics.js';
import { gasCapped } from '../../../testing/nodes/gas-cap.js';
import { LyingNode } from '../../../testing/nodes/lying-node.js';
import { allSettled } from '../operator.js';
import { closedBooks } from './honest-books.js';

const POSITIONS = Number(process.env['CRASH_POSITIONS'] ?? 120);
const PATIENCE_MS = 60_000 + POSITIONS * 1_000;
/** As `rpc.gascap` of geth, reth and erigon. */
const GAS_CAP = 50_000_000n;
/** `planner.maxBlockGasShareBps`. */
const BLOCK_SHARE = 4n;
/** In flight at the start: the pace of a bot that has won nothing yet. */
const FIRST = 4;

/** From 0.1 to 0.7 WETH, in an order that has nothing to do with their size. */
const sizeOf = (index: number): bigint => BigInt(100 + ((index * 7_919) % 600));
/** Health factor 1 at $2,880. So small that all of the debt may be repaid. */
const atEdge = (thousandths: bigint): PositionRequest => ({
  collaterals: [{ symbol: 'WETH', amount: thousandths * 10n ** 15n }],
  debts: [{ symbol: 'USDC', amount: (2_880n * 83n * thousandths * 10n ** 6n) / 100_000n }],
});

let stack: Stack;
let nodes: LyingNode[];
let borrowers: string[];

beforeEach(async () => {
  stack = await Stack.start({ borrowers: [] });
  const { devnet } = stack;
  const accounts = await devnet.openPositions(
    Array.from({ length: POSITIONS }, (_, index) => atEdge(sizeOf(index))),
  );
  borrowers = accounts.map((account) => account.toLowerCase());
  nodes = await Promise.all([0, 1].map(() => LyingNode.start({ http: devnet.rpcUrl, ws: devnet.wsUrl })));
  for (const node of nodes) node.lie = gasCapped(GAS_CAP);
}, PATIENCE_MS);

afterEach(async () => {
  await stack.stop();
  await Promise.all(nodes.map((node) => node.stop()));
});

describe('F47 a crash', () => {
  it(
    `${POSITIONS} positions can be liquidated at once, behind nodes that spend ${GAS_CAP} gas on a question: the most valuable go first, all others follow, and no block has more of us than its share`,
    async () => {
      const { devnet } = stack;
      const sent: string[] = [];
      const won = new Set<string>();
      const later = new Set<string>();
      const hear = (event: BotEvent): void => {
        if (event.event === 'transaction-sent') sent.push(event.borrower.toLowerCase());
        if (event.event === 'execution-settled' && event.outcome === 'won')
          won.add(event.borrower.toLowerCase());
        if (event.event === 'position-skipped') later.add(event.reason);
        if (event.event === 'positions-waiting')
          for (const reason of Object.keys(event.counts)) later.add(reason);
      };
      const [primary, backup] = nodes;
      const bot = await stack.startBot(hear, {
        rpcUrl: primary!.httpUrl,
        wsUrl: primary!.wsUrl,
        backupUrl: backup!.httpUrl,
        maxInFlight: 200,
        minProfitUsd: '0.5',
        // A busy machine is slow to prove.
        maxPlanAgeMs: 60_000,
      });
      const block = await devnet.provider.getBlockNumber();
      await devnet.startMining(250);
      await devnet.setPrice('WETH', 2_860n * USD8);
      while (won.size < POSITIONS) {
        const before = won.size;
        await eventually(() => won.size > before, 'another liquidation');
      }
      await allSettled(stack);

      const bySize = [...borrowers.keys()].sort((a, b) => Number(sizeOf(b) - sizeOf(a)));
      const most = new Set(bySize.slice(0, FIRST).map((index) => borrowers[index]));
      expect(new Set(sent.slice(0, FIRST))).toEqual(most);
      expect(later).toContain('in-flight-limit');
      // The nodes were never asked for more gas than they spend.
      expect(nodes.map(({ lies }) => lies)).toEqual(nodes.map(() => 0));
      expect(await largestShareSince(block)).toBeLessThanOrEqual(1 / Number(BLOCK_SHARE));

      const metrics = await (await fetch(`${bot.apiUrl}/metrics`)).text();
      expect(metricOf(metrics, 'chimera_process_resident_memory_bytes')).toBeLessThan(500e6);
      expect(await closedBooks(stack)).toEqual([]);
    },
    2 * PATIENCE_MS,
  );
});

/** Of the gas of one block, the most that the gas limits of the operator's transactions took together. */
async function largestShareSince(block: number): Promise<number> {
  const { provider, accounts } = stack.devnet;
  const last = await provider.getBlockNumber();
  let largest = 0;
  for (let number = block + 1; number <= last; number += 1) {
    const { gasLimit, prefetchedTransactions } = (await provider.getBlock(number, true))!;
    const own = prefetchedTransactions.filter(({ from }) => from === accounts.operator);
    const gas = own.reduce((sum, transaction) => sum + transaction.gasLimit, 0n);
    largest = Math.max(largest, Number(gas) / Number(gasLimit));
  }
  return largest;
}
