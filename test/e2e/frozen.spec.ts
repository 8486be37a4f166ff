import { keccak256 } from 'ethers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PositionRequest } from '../../devnet/index.js';
import { Stack } from '../../devnet/stack/stack.js';
import type { StatusAnswer } from '../../src/api/status-answer.js';
import { USD8 } from '../../src/domain/money.js';
import { eventually } from '../../testing/eventually.js';
import { LyingNode } from '../../testing/nodes/lying-node.js';
import { closedBooks } from './hostile/honest-books.js';
import { allSettled } from './operator.js';
import { faultBegins } from '../../testing/fault-times.js';

const BLOCK_MS = 250;
/** 30 s of the chain. */
const FROZEN_BLOCKS = 120;

/** 1 WETH of collateral for 2,350 USDC: health factor 1.06 at $3,000. */
const longEther: PositionRequest = {
  collaterals: [{ symbol: 'WETH', amount: 10n ** 18n }],
  debts: [{ symbol: 'USDC', amount: 2_350n * 10n ** 6n }],
};

let stack: Stack;
let node: LyingNode;

beforeEach(async () => {
  stack = await Stack.start({ borrowers: [] });
  await stack.devnet.openPositions(Array.from({ length: 6 }, () => longEther));
  node = await LyingNode.start({ http: stack.devnet.rpcUrl, ws: stack.devnet.wsUrl });
});

afterEach(async () => {
  await stack.stop();
  await node.stop();
});

describe('a process that stands still in the middle of a pass', () => {
  it('F50 SIGSTOP for 30 s, and the price comes back: it signs nothing old when it wakes up, sends nothing old again, and then works', async () => {
    const { devnet } = stack;
    const { provider } = devnet;
    const start = await devnet.prices();
    const bot = await stack.startBot(undefined, { rpcUrl: node.httpUrl, wsUrl: node.wsUrl });
    await devnet.startMining(BLOCK_MS);

    // Frozen while it hands its plans over: all of them are signed and durable.
    let frozenAt = 0;
    node.swallow = ({ method, params }) => {
      if (method !== 'eth_sendRawTransaction') return undefined;
      if (frozenAt === 0) bot.freeze();
      frozenAt ||= Date.now();
      return { result: keccak256(String(params[0])) };
    };
    await devnet.setPrice('WETH', 2_750n * USD8);
    await eventually(() => frozenAt > 0, 'the first transaction');
    const signed = (): Promise<Signed[]> =>
      stack.query<Signed>('SELECT hash, nonce::text FROM transactions ORDER BY nonce');
    const signedBefore = await signed();
    expect(signedBefore.length).toBeGreaterThan(1);

    await devnet.setPrices(start);
    const stopped = await provider.getBlockNumber();
    const over = stopped + FROZEN_BLOCKS;
    await eventually(async () => (await provider.getBlockNumber()) >= over, 'thirty seconds of blocks');
    node.repent();
    const passed = bot.waitFor('pass', ({ block }) => block >= over);
    const fault = faultBegins();
    bot.thaw();
    await passed;
    fault.detected();
    fault.over();
    await allSettled(stack);

    // What was signed would revert now: it is not handed over, its nonces are freed, and no other is used.
    for (const { hash } of signedBefore) expect(await provider.getTransactionReceipt(hash)).toBeNull();
    expect(await signed()).toHaveLength(signedBefore.length);
    const ends = await stack.query<{ status: string }>(
      'SELECT status FROM executions WHERE tx_hash IS NOT NULL',
    );
    expect(ends).toHaveLength(signedBefore.length);
    // Dropped when a busy machine took it past its deadline.
    for (const { status } of ends) expect(['cancelled', 'dropped']).toContain(status);
    const { safety } = (await stack.api('/api/v1/status')).body as StatusAnswer;
    expect(safety.state).toBe('NORMAL');

    const won = bot.waitFor('execution-settled', ({ outcome }) => outcome === 'won');
    await devnet.setPrice('WETH', 2_740n * USD8);
    await won;
    fault.recovered();
    await allSettled(stack);
    expect(await closedBooks(stack)).toEqual([]);
  });
});

interface Signed {
  readonly hash: string;
  readonly nonce: string;
}
