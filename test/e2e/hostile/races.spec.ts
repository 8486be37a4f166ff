import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PositionRequest } from '../../../devnet/index.js';
import { Stack } from '../../../devnet/stack/stack.js';
import type { BidsAnswer } from '../../../src/api/bids.controller.js';
import { USD8 } from '../../../src/domain/money.js';
import { eventually } from '../../../testing/eventually.js';
import { FixedTipRival, racesOf, type WonRace } from '../../../testing/rival.js';
import { allSettled, signedHashes } from '../operator.js';
import { closedBooks } from './honest-books.js';

/** 0.01 gwei. */
const RIVAL_TIP_WEI = 10n ** 7n;
/** Positions that fall at once. */
const SIZE = 2;
const DROPS = 6;

/** The price of ether at which the positions of a drop have a health factor of 1: dollars. */
const edge = (drop: number): bigint => 2_880n - 10n * BigInt(drop);

const atEdge = (drop: number): PositionRequest => ({
  collaterals: [{ symbol: 'WETH', amount: 5n * 10n ** 17n }],
  debts: [{ symbol: 'USDC', amount: (edge(drop) * 83n * 10n ** 6n) / 200n }],
});

let stack: Stack;
let rival: FixedTipRival;
let borrowers: string[];

beforeEach(async () => {
  stack = await Stack.start({ borrowers: [], settings: { bidModel: 'least-that-wins' } });
  const { devnet } = stack;
  borrowers = await devnet.openPositions(
    Array.from({ length: SIZE * DROPS }, (_, index) => atEdge(Math.floor(index / SIZE))),
  );
  rival = await FixedTipRival.of(devnet, RIVAL_TIP_WEI);
});

afterEach(() => stack.stop());

describe('F49 races on a chain that orders by tip', () => {
  it('the least that wins loses once to a rival, then wins at less than three times what suffices, after a restart too', async () => {
    await startBot();
    expect(won(await drop(0))).toBe(0);
    for (const at of [1, 2, 3]) expectWonCheaply(await drop(at));
    const { model, levels } = await bids();
    expect(model).toBe('least-that-wins');
    expect(levels.filter(({ tipGwei }) => tipGwei !== null)).toMatchObject([{ won: 6, lost: SIZE }]);

    await stack.bot?.stop();
    await startBot();
    expect((await bids()).levels).toEqual(levels);
    for (const at of [4, 5]) expectWonCheaply(await drop(at));
    expect(await closedBooks(stack)).toEqual([]);
  });
});

/** With the pools known, of which it reads at new blocks. */
async function startBot(): Promise<void> {
  const news = new Set<string>();
  await stack.startBot((event) => void news.add(event.event));
  await eventually(async () => {
    await stack.devnet.mine();
    return news.has('pools-read');
  }, 'the pools to be known');
}

/** A price step. A block is made when both have handed all of theirs over: nothing but the tip decides. */
async function drop(at: number): Promise<WonRace[]> {
  const { devnet } = stack;
  const own = borrowers.slice(at * SIZE, (at + 1) * SIZE);
  const block = await devnet.provider.getBlockNumber();
  const signed = (await signedHashes(stack)).length;
  await devnet.rpc('evm_setAutomine', [false]);
  await devnet.setPrice('WETH', (edge(at) - 4n) * USD8);
  await rival.liquidate(own);
  await eventually(
    async () => (await signedHashes(stack)).length === signed + SIZE && (await pendingCount()) === 2 * SIZE,
    `all transactions of drop ${at}`,
  );
  await devnet.mine();
  const races = await racesOf(devnet, own, block);
  await devnet.rpc('evm_setAutomine', [true]);
  await devnet.mine(2);
  await allSettled(stack);
  return races;
}

async function pendingCount(): Promise<number> {
  const { pending } = (await stack.devnet.rpc('txpool_status')) as { pending: string };
  return Number(pending);
}

async function bids(): Promise<BidsAnswer> {
  return (await stack.api('/api/v1/bids')).body as BidsAnswer;
}

function won(races: readonly WonRace[]): number {
  const operator = stack.devnet.accounts.operator.toLowerCase();
  return races.filter(({ winner }) => winner.toLowerCase() === operator).length;
}

function expectWonCheaply(races: readonly WonRace[]): void {
  expect(won(races)).toBe(SIZE);
  for (const { tipPerGasWei } of races) {
    expect(tipPerGasWei).toBeGreaterThan(RIVAL_TIP_WEI);
    expect(tipPerGasWei).toBeLessThanOrEqual(3n * (RIVAL_TIP_WEI + 1n));
  }
}
