import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PositionRequest } from '../../../devnet/index.js';
import { Stack } from '../../../devnet/stack/stack.js';
import type { StatusAnswer } from '../../../src/api/status-answer.js';
import { USD8 } from '../../../src/domain/money.js';
import { eventually } from '../../../testing/eventually.js';
import { LyingNode } from '../../../testing/nodes/lying-node.js';
import { OwnFork } from '../../../testing/nodes/own-fork.js';
import { send } from '../../../testing/send.js';
import { allSettled } from '../operator.js';
import { closedBooks } from './honest-books.js';

/** Positions that a rival liquidates: more than a market of six may have wrong. */
const OF_THE_RIVAL = 5;
/** Blocks of the fork in which the bot compares positions with the chain. */
const COMPARED_BLOCKS = 16;
const LARGE = 10n ** 24n;

/** 1 WETH of collateral, of which the market counts 83 %. */
const longEther = (edgeUsd: bigint): PositionRequest => ({
  collaterals: [{ symbol: 'WETH', amount: 10n ** 18n }],
  debts: [{ symbol: 'USDC', amount: (edgeUsd * 83n * 10n ** 6n) / 100n }],
});

let stack: Stack;
let primary: LyingNode;

beforeEach(async () => {
  stack = await Stack.start({ borrowers: [] });
  primary = await LyingNode.start({ http: stack.devnet.rpcUrl, ws: stack.devnet.wsUrl });
});

afterEach(async () => {
  await stack.stop();
  await primary.stop();
});

describe('F52 a primary on a branch of its own, with headers that link and have the right hashes', () => {
  it('whose state contradicts our books, while the backup does not have its blocks: nothing halts, nothing is sent, and all goes on when it is back', async () => {
    const { devnet } = stack;
    const { WETH, USDC } = devnet.tokens;
    const rival = devnet.accounts.supplier;
    const lost = await devnet.openPositions(Array.from({ length: OF_THE_RIVAL }, () => longEther(2_850n)));
    await devnet.openPositions([longEther(2_650n)]);
    await send(devnet, rival, devnet.token('USDC'), 'approve', devnet.addresses.pool, LARGE);
    await stack.startBot(undefined, {
      rpcUrl: primary.httpUrl,
      wsUrl: primary.wsUrl,
      backupUrl: devnet.rpcUrl,
      scanIntervalMs: 1_000,
    });
    const suspected = stack.bot?.waitFor('positions-suspected');
    await devnet.startMining(250);
    const fork = new OwnFork(primary);
    await eventually(() => fork.length > 1, 'the fork');

    await devnet.setPrice('WETH', 2_800n * USD8);
    for (const borrower of lost)
      await send(
        devnet,
        rival,
        devnet.contracts.aavePool,
        'liquidationCall',
        ...[WETH.address, USDC.address, borrower, LARGE, false],
      );
    await suspected;
    const length = fork.length;
    await eventually(() => fork.length > length + COMPARED_BLOCKS, 'comparisons on the fork');
    expect((await status()).safety.state).toBe('NORMAL');
    expect(await stack.query('SELECT id FROM transactions')).toEqual([]);

    primary.repent();
    await devnet.setPrice('WETH', 2_600n * USD8);
    await eventually(async () => (await won()).length > 0, 'a liquidation after the fork');
    await allSettled(stack);
    expect((await status()).safety.state).toBe('NORMAL');
    expect(await closedBooks(stack)).toEqual([]);
  });
});

async function status(): Promise<StatusAnswer> {
  return (await stack.api('/api/v1/status')).body as StatusAnswer;
}

function won(): Promise<object[]> {
  return stack.query("SELECT id FROM executions WHERE status = 'succeeded'");
}
