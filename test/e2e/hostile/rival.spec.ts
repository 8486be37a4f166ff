import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PositionRequest } from '../../../devnet/index.js';
import { Stack } from '../../../devnet/stack/stack.js';
import type { StatusAnswer } from '../../../src/api/status-answer.js';
import { USD8 } from '../../../src/domain/money.js';
import { eventually } from '../../../testing/eventually.js';
import { HoldingNode } from '../../../testing/nodes/holding-node.js';
import { send } from '../../../testing/send.js';
import { allSettled, minedCount } from '../operator.js';
import { closedBooks } from './honest-books.js';

const ROUNDS = 20;
/** So that all rounds take ten minutes of the chain's time. */
const SECONDS_PER_ROUND = 600 / ROUNDS;
const LARGE = 10n ** 24n;

/** The price of ether at which the position of a round has a health factor of 1: dollars. */
const edge = (round: number): bigint => 2_880n - 10n * BigInt(round);

/** 1 WETH of collateral, of which the market counts 83 %. */
const atEdge = (round: number): PositionRequest => ({
  collaterals: [{ symbol: 'WETH', amount: 10n ** 18n }],
  debts: [{ symbol: 'USDC', amount: (edge(round) * 83n * 10n ** 6n) / 100n }],
});

let stack: Stack;
let node: HoldingNode;
let borrowers: string[];

beforeEach(async () => {
  stack = await Stack.start({ borrowers: [] });
  const { devnet } = stack;
  borrowers = await devnet.openPositions(Array.from({ length: ROUNDS }, (_, round) => atEdge(round)));
  node = await HoldingNode.start({ http: devnet.rpcUrl, ws: devnet.wsUrl });
});

afterEach(async () => {
  await stack.stop();
  await node.stop();
});

describe('F49 a rival', () => {
  it('that is first in half of the blocks for ten minutes: no halt, the rest is won, and the status tells both', async () => {
    const { devnet } = stack;
    const { WETH, USDC } = devnet.tokens;
    const rival = devnet.accounts.supplier;
    await send(devnet, rival, devnet.token('USDC'), 'approve', devnet.addresses.pool, LARGE);
    await stack.startBot(undefined, { rpcUrl: node.httpUrl, wsUrl: node.wsUrl });

    await devnet.startMining(250);
    for (let round = 0; round < ROUNDS; round++) {
      const rivalWins = round % 2 === 1;
      const borrower = borrowers[round]!;
      const mined = await minedCount(stack);
      node.hold();
      await devnet.increaseTime(SECONDS_PER_ROUND);
      await devnet.setPrice('WETH', (edge(round) - 4n) * USD8);
      await eventually(() => node.holding > 0, `a transaction in round ${round}`);
      if (rivalWins)
        await send(
          devnet,
          rival,
          devnet.contracts.aavePool,
          'liquidationCall',
          WETH.address,
          USDC.address,
          borrower,
          LARGE,
          false,
        );
      await node.release((raw) => devnet.rpc('eth_sendRawTransaction', [raw]));
      await eventually(async () => (await minedCount(stack)) > mined, `round ${round} to be mined`);
      await allSettled(stack);
      expect((await status()).safety.state).toBe('NORMAL');
    }

    const { overall } = (await status()).outcomes;
    expect(overall).toMatchObject({
      won: ROUNDS / 2,
      lost: ROUNDS / 2,
      stale: 0,
      malfunction: 0,
      winRateBps: 5_000,
    });
    expect(Number(overall.lossesEth)).toBeGreaterThan(0);
    const lost = await stack.query<{ borrower: string; details: { winner?: string } }>(
      "SELECT lower(borrower) AS borrower, outcome_details AS details FROM executions WHERE outcome = 'lost' ORDER BY id",
    );
    expect(lost.map(({ borrower }) => borrower)).toEqual(
      borrowers.filter((_, round) => round % 2 === 1).map((one) => one.toLowerCase()),
    );
    expect(await closedBooks(stack)).toEqual([]);
  });
});

async function status(): Promise<StatusAnswer> {
  return (await stack.api('/api/v1/status')).body as StatusAnswer;
}
