import { afterEach, describe, expect, it } from 'vitest';
import { DEMO_SCENARIO, demoBorrowers, playStep } from '../../devnet/index.js';
import { Follower } from '../../devnet/demo/run.js';
import { Stack } from '../../devnet/stack/stack.js';
import type { StatusAnswer } from '../../src/api/status-answer.js';
import type { BotEvent } from '../../src/domain/events/events.js';
import { eventually } from '../../testing/eventually.js';

const BLOCK_MS = 250;
/** The blocks that are replaced have no others: the market's move is in the blocks before. */
const FALL = DEMO_SCENARIO.slice(0, 2);

type Of<E extends BotEvent['event']> = Extract<BotEvent, { event: E }>;

let stack: Stack | undefined;

afterEach(async () => {
  await stack?.stop();
  stack = undefined;
});

describe('the bot and its books', () => {
  it('F15 what a reorg takes back is in flight again and settled again, and no position is liquidated twice', async () => {
    stack = await Stack.start({ borrowers: demoBorrowers(30) });
    const { devnet } = stack;
    const events: BotEvent[] = [];
    const heard = <E extends BotEvent['event']>(name: E): Of<E>[] =>
      events.filter((event): event is Of<E> => event.event === name);
    const follower = new Follower();
    await stack.startBot((event) => {
      events.push(event);
      follower.hear(event);
    });
    await devnet.startMining(BLOCK_MS);
    for (const step of FALL) await playStep(devnet, step);
    const fallen = await devnet.provider.getBlockNumber();
    await eventually(() => follower.quietSince(fallen), 'everything to be settled');

    await devnet.stopMining();
    const settledBefore = heard('execution-settled');
    const last = Math.max(...settledBefore.map(({ block = 0 }) => block));
    const gone = settledBefore.filter(({ block }) => block === last);
    expect(gone).not.toEqual([]);
    const depth = (await devnet.provider.getBlockNumber()) - last + 1;
    await devnet.reorg(
      Array.from({ length: depth }, () => []),
      1,
    );
    await devnet.startMining(BLOCK_MS);
    const ids = (all: readonly { readonly executionId: string }[]): string[] =>
      all.map(({ executionId }) => executionId).sort();
    await eventually(() => heard('execution-reopened').length === gone.length, 'the reorg to be told');
    const open = (): number =>
      heard('transaction-sent').length +
      heard('execution-reopened').length -
      heard('execution-settled').length;
    await eventually(() => open() === 0, 'everything to be settled again');

    expect(ids(heard('execution-reopened'))).toEqual(ids(gone));
    expect(
      ids(heard('execution-settled').slice(settledBefore.length)).filter((id) => ids(gone).includes(id)),
    ).toEqual(ids(gone));
    const rows = await stack.query<{ nonce: string; hash: string; status: string; execution: string }>(
      `SELECT t.nonce::text, t.hash, t.status, e.status AS execution
         FROM transactions t JOIN executions e ON e.id = t.execution_id ORDER BY t.nonce`,
    );
    const { operator } = devnet.accounts;
    expect(rows.map(({ nonce }) => Number(nonce))).toEqual(
      Array.from({ length: await devnet.provider.getTransactionCount(operator) }, (_, i) => i),
    );
    for (const { hash, status, execution } of rows) {
      const receipt = await devnet.provider.getTransactionReceipt(hash);
      expect([status, execution]).toEqual(['mined', receipt?.status === 1 ? 'succeeded' : 'reverted']);
    }
    const { counters, safety } = await statusOf(stack);
    const succeeded = rows.filter(({ execution }) => execution === 'succeeded').length;
    expect(counters).toMatchObject({ sent: rows.length, succeeded, failed: rows.length - succeeded });
    expect(safety.state).not.toBe('HALTED');
    const [volume] = await stack.query(
      `SELECT (SELECT sum(notional_usd) FROM daily_volume)
         = (SELECT sum(notional_usd) FROM executions WHERE status = 'succeeded') AS exact`,
    );
    expect(volume).toEqual({ exact: true });
  });
});

async function statusOf(running: Stack | undefined): Promise<StatusAnswer> {
  return (await running?.api('/api/v1/status'))?.body as StatusAnswer;
}
