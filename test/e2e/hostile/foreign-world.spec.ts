import type { TransactionReceipt } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PositionRequest } from '../../../devnet/index.js';
import { Stack } from '../../../devnet/stack/stack.js';
import type { RejectionReason } from '../../../src/domain/decision.js';
import { toAddress } from '../../../src/domain/hex.js';
import { eventually } from '../../../testing/eventually.js';
import { ForeignWorld } from '../../../testing/foreign-world/foreign-world.js';
import type { ForeignPosition } from '../../../testing/foreign-world/positions.js';
import { usdOf } from '../../../testing/foreign-world/tokens.js';
import type { Find, YardstickSettings } from '../../../testing/foreign-world/yardstick.js';
import { allSettled } from '../operator.js';

/** Another world: FOREIGN_SEED=… A finer yardstick, and a report, in some minutes: FOREIGN_ALL=1 */
const SEED = Number(process.env['FOREIGN_SEED'] ?? 1);
const IS_FINE = process.env['FOREIGN_ALL'] !== undefined;
const YARDSTICK: YardstickSettings = {
  amounts: IS_FINE ? 20 : 3,
  moreAmounts: IS_FINE ? 60 : 8,
  sales: true,
};

const MIN_PROFIT_USD = 2;
/** The rest of a margin may be the bid: planner.maxBribeBps. */
const KEPT_SHARE = 0.6;
/** Blocks that the bot has after the one in which prices fall. */
const BLOCKS = 3;
/** Of what the yardstick takes. */
const LEAST_SHARE = 0.95;
/** What the bot may say of a position that the yardstick would not liquidate either. */
const AGREED: readonly RejectionReason[] = [
  'bonus-below-floor',
  'no-route',
  'no-lender',
  'route-too-shallow',
  'profit-below-floor',
  'collateral-not-payable',
];

/** A slow machine: the bot says so, and its turn comes later. Such a block does not count. */
const LATE: readonly RejectionReason[] = ['comes-later', 'plan-too-old', 'second-endpoint-unavailable'];
const MOST_BLOCKS = 30;

/** In pools that are no part of the world: 0.02 cbBTC for 1,350 USDC, at $90,000. */
const SMALL: PositionRequest = {
  collaterals: [{ symbol: 'cbBTC', amount: 2_000_000n }],
  debts: [{ symbol: 'USDC', amount: 1_350n * 10n ** 6n }],
};
const FIRST_WINS = 28;

let stack: Stack;
let world: ForeignWorld;
let lastPass = 0;
const news = new Set<string>();
/** By borrower, in small letters: why it was skipped last. */
const reasons = new Map<string, RejectionReason>();
/** Borrowers that the bot had no time for when it spoke of them last. */
const late = new Set<string>();

beforeAll(async () => {
  stack = await Stack.start({ borrowers: [] });
  world = await ForeignWorld.build(stack.devnet, SEED);
}, 180_000);

afterAll(() => stack.stop());

describe(`a world that the bot was not made for (seed ${SEED})`, () => {
  it(
    'every position that an independent yardstick finds profitable is liquidated within three blocks, for as much as it finds',
    async () => {
      const { devnet } = stack;
      const clean = await devnet.snapshot();
      await world.fall();
      await devnet.mine();
      const expected = await liquidateInTurn();
      await devnet.revert(clean);

      await startBot();
      const before = await wealthUsd();
      const first = await devnet.provider.getBlockNumber();
      await world.fall();
      await blocksInTime();
      const left = await findings();
      for (let blocks = 0; blocks < BLOCKS; blocks++) await blockAndPass();
      await devnet.startMining(250);
      await allSettled(stack);
      const receipts = await receiptsAfter(first);
      const taken = (await wealthUsd()) - before + (await tipsUsd(receipts));

      report(expected, taken, left);
      const missed = [...left].flatMap(([position, find]) =>
        find && isRequired(find) ? [`${named(position)}, ${reasonOf(position)}: ${shown(find)}`] : [],
      );
      expect(missed).toEqual([]);
      const others = [...left.keys()].map((position) => ({
        position: named(position),
        reason: reasons.get(position.borrower.toLowerCase()),
      }));
      expect(others.filter(({ reason }) => !reason || !AGREED.includes(reason))).toEqual([]);
      expect(taken / expected).toBeGreaterThan(LEAST_SHARE);
      expect(kindsUsed(receipts)).toEqual(
        expect.arrayContaining(['uniswap-v3', 'slipstream', 'pancake-v3', 'volatile']),
      );
    },
    IS_FINE ? 1_800_000 : 300_000,
  );
});

/** The bot knows all pools, and has won so often that it sends as many at a time as there are. */
async function startBot(): Promise<void> {
  const { devnet } = stack;
  await stack.startBot(
    (event) => {
      news.add(event.event);
      if (event.event === 'pass') lastPass = event.block;
      if (event.event === 'position-skipped') {
        reasons.set(event.borrower.toLowerCase(), event.reason);
        if (LATE.includes(event.reason)) late.add(event.borrower);
        else late.delete(event.borrower);
      }
      if (event.event === 'plan-ready') late.delete(event.borrower);
    },
    { minProfitUsd: String(MIN_PROFIT_USD), maxInFlight: 64 },
  );
  await devnet.startMining(250);
  await eventually(() => news.has('pools-read'), 'the pools to be known');
  const { cbBTC } = await devnet.prices();
  await devnet.openPositions(Array.from({ length: FIRST_WINS }, () => SMALL));
  await devnet.setPrice('cbBTC', (cbBTC * 9n) / 10n);
  await eventually(async () => {
    const won = await stack.query("SELECT id FROM executions WHERE status = 'succeeded'");
    return won.length === FIRST_WINS;
  }, 'the first wins');
  // From here on a block is made when the bot is through with the last one.
  await devnet.startMining(3_600_000);
}

/**
 * The block in which prices fall, and {@link BLOCKS} more; a block after which some position still comes
 * later is none of them. All are needed: plans behind a position's own in one block may move its pools back,
 * and what is worth taking again waits until its own transaction is settled.
 */
async function blocksInTime(): Promise<void> {
  let inTime = 0;
  for (let blocks = 0; inTime <= BLOCKS && blocks < MOST_BLOCKS; blocks++) {
    await blockAndPass();
    if (late.size === 0) inTime++;
  }
}

async function blockAndPass(): Promise<void> {
  const { devnet } = stack;
  await devnet.mine();
  const number = await devnet.provider.getBlockNumber();
  await eventually(() => lastPass >= number, `the pass of block ${number}`);
}

function isRequired({ usd }: Find): boolean {
  return usd * KEPT_SHARE > MIN_PROFIT_USD;
}

/** What the yardstick finds in each position that is below 1, whether it is worth a transaction or not. */
async function findings(): Promise<Map<ForeignPosition, Find | undefined>> {
  const finds = new Map<ForeignPosition, Find | undefined>();
  for (const position of world.positions)
    if (await world.yardstick.isBelow(position))
      finds.set(position, await world.yardstick.best(position, YARDSTICK));
  return finds;
}

/** Does what the yardstick finds, the dearest first, each on what the last one left. */
async function liquidateInTurn(): Promise<number> {
  const found = [...(await findings())];
  const order = found.sort(([, a], [, b]) => (b?.usd ?? 0) - (a?.usd ?? 0));
  let usd = 0;
  for (const [position] of order)
    for (;;) {
      const find = await world.yardstick.best(position, YARDSTICK);
      if (!find || !isRequired(find)) break;
      await world.yardstick.commit(find);
      usd += find.usd;
    }
  return usd;
}

/** What treasury and operator have. */
async function wealthUsd(): Promise<number> {
  const { provider, accounts } = stack.devnet;
  let usd = usdOf(ether(), await provider.getBalance(accounts.operator));
  for (const token of world.tokens.values())
    usd += usdOf(token, (await token.contract.getFunction('balanceOf')(accounts.treasury)) as bigint);
  return usd;
}

/** Of our transactions that were mined after a block. */
async function receiptsAfter(block: number): Promise<TransactionReceipt[]> {
  const { provider } = stack.devnet;
  const rows = await stack.query<{ hash: string }>(
    "SELECT hash FROM transactions WHERE status = 'mined' AND block_number > $1",
    [block],
  );
  const receipts = await Promise.all(rows.map(({ hash }) => provider.getTransactionReceipt(hash)));
  return receipts.flatMap((receipt) => receipt ?? []);
}

/** What was bid: the yardstick does not bid. */
async function tipsUsd(receipts: readonly TransactionReceipt[]): Promise<number> {
  let tipsWei = 0n;
  for (const { blockNumber, gasUsed, gasPrice } of receipts) {
    const block = await stack.devnet.provider.getBlock(blockNumber);
    tipsWei += gasUsed * (gasPrice - (block?.baseFeePerGas ?? 0n));
  }
  return usdOf(ether(), tipsWei);
}

/** The kinds of pools that had a log in one of these transactions. */
function kindsUsed(receipts: readonly TransactionReceipt[]): string[] {
  const emitters = new Set(receipts.flatMap(({ logs }) => logs.map(({ address }) => toAddress(address))));
  return world.pools.filter(({ address }) => emitters.has(address)).map(({ kind }) => kind);
}

function ether(): Parameters<typeof usdOf>[0] {
  const token = world.tokens.get('WETH');
  if (!token) throw new Error('the world has no WETH');
  return token;
}

function report(expected: number, taken: number, left: ReadonlyMap<ForeignPosition, Find | undefined>): void {
  if (!IS_FINE) return;
  const lines = [...left].map(([position, find]) => {
    return `left: ${named(position)}, ${reasonOf(position)}; the yardstick: ${shown(find)}`;
  });
  const sum = `taken $${taken.toFixed(2)} of $${expected.toFixed(2)}`;
  process.stdout.write(`${[sum, ...lines].join('\n')}\n`);
}

function named({ collaterals, debts }: ForeignPosition): string {
  const symbols = (tokens: ForeignPosition['debts']): string => tokens.map(({ symbol }) => symbol).join('+');
  return `${symbols(collaterals)} for ${symbols(debts)}`;
}

function reasonOf({ borrower }: ForeignPosition): string {
  return reasons.get(borrower.toLowerCase()) ?? 'no reason';
}

function shown(find: Find | undefined): string {
  if (!find) return 'nothing';
  const { collateral, debt, debtToCover, way, isSale, usd } = find;
  const road = way.map(({ tokenIn }) => tokenIn.symbol).join(' > ');
  return `$${usd.toFixed(2)}, ${isSale ? 'sold' : 'bought'} ${road} > ${debt.symbol}, ${debtToCover} of ${collateral.symbol}`;
}
