import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DEMO_SCENARIO, demoBorrowers, playStep } from '../../../devnet/index.js';
import { SeededRandom } from '../../../devnet/random.js';
import { Stack } from '../../../devnet/stack/stack.js';
import type { StatusAnswer } from '../../../src/api/status-answer.js';
import { eventually } from '../../../testing/eventually.js';
import { LyingNode } from '../../../testing/nodes/lying-node.js';
import { allSettled, minedCount } from '../operator.js';
import { closedBooks } from './honest-books.js';
import { HOSTILE_KINDS } from './kinds.js';

/** Repeat a failing run with its seed: HOSTILE_SEED=… */
const SEED = Number(process.env['HOSTILE_SEED'] ?? Date.now() % 1_000_000);
const random = new SeededRandom(SEED);
/** So many kinds a run, drawn by the seed; HOSTILE_ALL=1 runs all of them. */
const KINDS_PER_RUN = process.env['HOSTILE_ALL'] === undefined ? 10 : HOSTILE_KINDS.length;
/** In an order and with numbers of the seed. */
const KINDS = HOSTILE_KINDS.map((kind) => ({ kind, key: random.next() }))
  .sort((a, b) => a.key - b.key)
  .map(({ kind }) => kind)
  .slice(0, KINDS_PER_RUN);

const BLOCK_MS = 250;
/** Blocks of each step while the node lies. */
const STEP_BLOCKS = 4;
/** The market falls during the lie, and once more after it. */
const LIE_STEPS = DEMO_SCENARIO.slice(1, 3);
const LAST_STEP = DEMO_SCENARIO[5];
const CAPS = {
  maxFeePerTransactionEth: '0.05',
  // Room for all that the market opens, during the lie and after it.
  maxDailyFeeEth: '0.5',
  maxDailyLossUsd: '1000',
  maxSingleExecutionUsd: '20000',
} as const;
const DAILY_FEE_WEI = 5n * 10n ** 17n;

let stack: Stack;
let clean: string;
let primary: LyingNode;

beforeAll(async () => {
  stack = await Stack.start({ borrowers: demoBorrowers(16) });
});

beforeEach(async () => {
  clean = await stack.devnet.snapshot();
  primary = await LyingNode.start({ http: stack.devnet.rpcUrl, ws: stack.devnet.wsUrl });
});

afterEach(async () => {
  await stack.bot?.kill();
  await primary.stop();
  await stack.devnet.stopMining();
  await stack.devnet.revert(clean);
  await stack.query('DROP SCHEMA public CASCADE');
  await stack.query('CREATE SCHEMA public');
});

afterAll(() => stack.stop());

describe(`F42 a primary that lies while the backup is honest (seed ${SEED})`, () => {
  it.each(KINDS)('about $name: what it costs is bounded, the books are true, and it ends', async (kind) => {
    const { devnet } = stack;
    const before = await balance();
    await devnet.startMining(BLOCK_MS);
    const news = new Set<string>();
    await stack.startBot(({ event }) => news.add(event), {
      rpcUrl: primary.httpUrl,
      wsUrl: primary.wsUrl,
      backupUrl: devnet.rpcUrl,
      scanIntervalMs: 1_000,
      ...CAPS,
    });
    await eventually(() => news.has('pools-read'), 'the pools to be known');
    const world = { addresses: devnet.addresses, random };
    primary.lie = kind.lie?.(world);
    primary.swallow = kind.swallow?.(world);
    for (const step of LIE_STEPS) {
      await playStep(devnet, step);
      await blocks(STEP_BLOCKS);
    }
    // What is asked by turns, as pools are, may not have been asked during the steps.
    await eventually(() => primary.lies > 0, 'a lie to be told');

    primary.repent();
    const repented = await devnet.provider.getBlockNumber();
    if (!LAST_STEP) throw new Error('the scenario is shorter than this test');
    await playStep(devnet, LAST_STEP);
    await eventually(async () => (await successesAfter(repented)) > 0, 'a liquidation after the lie');
    await eventually(
      async () => (await minedCount(stack)) === (await settledCount()),
      'every row to be settled',
    );
    const { safety } = await status();
    expect(safety.state).not.toBe('HALTED');

    // The market goes on: a transaction may be mined between the look at the books and the one at the chain.
    let wrong: readonly string[] = [];
    await eventually(async () => {
      await allSettled(stack);
      wrong = await closedBooks(stack);
      return wrong.length === 0;
    }, 'the books to be true').catch(() => undefined);
    expect(wrong).toEqual([]);
    expect(before - (await balance())).toBeLessThanOrEqual(DAILY_FEE_WEI);
  });
});

function balance(): Promise<bigint> {
  return stack.devnet.provider.getBalance(stack.devnet.accounts.operator);
}

async function blocks(count: number): Promise<void> {
  const { provider } = stack.devnet;
  const until = (await provider.getBlockNumber()) + count;
  await eventually(async () => (await provider.getBlockNumber()) >= until, `${count} blocks`);
}

async function status(): Promise<StatusAnswer> {
  return (await stack.api('/api/v1/status')).body as StatusAnswer;
}

async function successesAfter(block: number): Promise<number> {
  const rows = await stack.query(
    `SELECT e.id FROM executions e JOIN transactions t ON t.execution_id = e.id
      WHERE e.status = 'succeeded' AND t.block_number > $1`,
    [block],
  );
  return rows.length;
}

async function settledCount(): Promise<number> {
  return (await stack.query("SELECT id FROM transactions WHERE status = 'mined'")).length;
}
