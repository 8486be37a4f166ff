import { afterEach, describe, expect, it } from 'vitest';
import { DEMO_SCENARIO, demoBorrowers, playStep } from '../../devnet/index.js';
import { Follower } from '../../devnet/demo/run.js';
import type { BotProcess } from '../../devnet/stack/bot-process.js';
import { Stack } from '../../devnet/stack/stack.js';
import { eventually } from '../../testing/eventually.js';
import { KILL_SEED, killAt, killMoments } from './kill-moments.js';
import { allSettled, minedCount, minedHashes, outcomeOf, signedHashes } from './operator.js';
import { faultBegins } from '../../testing/fault-times.js';

const BLOCK_MS = 250;
/** The steps after which ether has fallen by a good tenth: more than a dozen liquidations. */
const FALL = DEMO_SCENARIO.slice(0, 3);

interface Transaction {
  readonly nonce: string;
  readonly hash: string;
  readonly status: string;
  readonly execution: string;
}

let stack: Stack | undefined;

afterEach(async () => {
  await stack?.stop();
  stack = undefined;
});

describe('the bot in the middle of a falling market', () => {
  it('when halted through the API sends nothing, also after a restart, until it is resumed', async () => {
    const running = await begin();
    const bot = await running.startBot();
    const sent = bot.waitFor('transaction-sent');
    await fall(running, FALL.slice(0, 2));
    await sent;

    const halted = await running.api('/api/v1/safety/halt', { body: { reason: 'looking into it' } });
    expect(halted).toMatchObject({ status: 200, body: { state: 'HALTED', reason: 'looking into it' } });
    const signedAtHalt = await signedHashes(running);
    const leftAlone = declined(bot);
    await fall(running, FALL.slice(2));
    await leftAlone;
    // Transactions that were in flight at the halt may still be mined, and no others.
    const minedAtHalt = await allSettled(running);
    expect(signedAtHalt).toEqual(expect.arrayContaining(await minedHashes(running)));

    await bot.stop();
    const restarted = await running.launchBot();
    await Promise.all([restarted.waitFor('api-listening'), declined(restarted)]);
    expect((await running.api('/api/v1/status')).body).toMatchObject({
      safety: { state: 'HALTED', reason: 'looking into it' },
    });
    expect(await minedCount(running)).toBe(minedAtHalt);
    expect(await allSettled(running)).toBe(minedAtHalt);

    const resumed = await running.api('/api/v1/safety/resume', { body: { reason: 'all is well' } });
    expect(resumed).toMatchObject({ status: 200, body: { state: 'NORMAL' } });
    await eventually(async () => (await minedCount(running)) > minedAtHalt, 'sending to go on');
    expect(await running.query('SELECT actor, action, reason FROM operator_actions ORDER BY id')).toEqual([
      { actor: 'demo', action: 'halt', reason: 'looking into it' },
      { actor: 'demo', action: 'resume', reason: 'all is well' },
    ]);
  });

  it(`F25 killed again and again (seed ${KILL_SEED}) starts again without sending anything twice and without losing a row`, async () => {
    const running = await begin();
    const moments = killMoments(KILL_SEED, ['plan-ready', 'transaction-sent', 'execution-settled']);
    expect(new Set(moments.map(({ after }) => after)).size).toBe(FALL.length);
    for (const [round, step] of FALL.entries()) {
      const moment = moments[round];
      if (!moment) throw new Error('there are fewer moments than steps');
      const killed = killAt(await running.startBot(), moment);
      await playStep(running.devnet, step);
      await killed;
    }
    const follower = new Follower();
    const bot = await running.startBot((event) => follower.hear(event));
    const fallen = await running.devnet.provider.getBlockNumber();
    await eventually(() => follower.quietSince(fallen), 'the bot to have nothing left to do');
    await allSettled(running);
    // Counted when the bot is gone: until then interest may open a position, and the bot may send.
    expect((await bot.stop()).code).toBe(0);
    const mined = await minedCount(running);

    const rows = await running.query<Transaction>(
      `SELECT t.nonce::text, t.hash, t.status, e.status AS execution
         FROM transactions t JOIN executions e ON e.id = t.execution_id ORDER BY t.nonce`,
    );
    // One row for each nonce that the chain saw, without a gap, each mined as recorded: nothing twice,
    // nothing lost.
    expect(rows.map(({ nonce }) => Number(nonce))).toEqual(
      Array.from({ length: mined }, (_, nonce) => nonce),
    );
    for (const { hash, status, execution } of rows) {
      expect(status).toBe('mined');
      // Prices that moved while the bot was dead make the contract revert, or the bot cancel what it finds.
      // That must be recorded too.
      expect(execution).toBe(await outcomeOf(running, hash));
    }
    expect(rows.some(({ execution }) => execution === 'succeeded')).toBe(true);
    const untold = await running.query(
      `SELECT e.id, e.status FROM executions e LEFT JOIN transactions t ON t.execution_id = e.id
        WHERE e.status NOT IN ('rejected', 'dry-run') AND t.id IS NULL`,
    );
    expect(untold).toEqual([]);
  });

  it('in dry-run decides and records everything, and sends nothing', async () => {
    const running = await begin();
    const bot = await running.startBot(undefined, { mode: 'dry-run' });
    const decided = bot.waitFor('dry-run');
    await fall(running, FALL.slice(0, 2));
    await decided;
    expect(await minedCount(running)).toBe(0);
    expect(await running.query('SELECT * FROM transactions')).toEqual([]);
    const rows = await running.query<{ simulated: string }>(
      "SELECT simulated_net_profit_usd::text AS simulated FROM executions WHERE status = 'dry-run'",
    );
    expect(rows.length).toBeGreaterThan(0);
    for (const { simulated } of rows) expect(Number(simulated)).toBeGreaterThanOrEqual(5);
  });

  it('F39 on SIGTERM finishes what is in flight and ends with 0, leaving its books closed', async () => {
    const running = await begin();
    const bot = await running.startBot();
    const sent = bot.waitFor('transaction-sent');
    await fall(running, FALL.slice(0, 2));
    await sent;
    const fault = faultBegins();
    expect(await bot.stop()).toEqual({ code: 0, signal: null });
    fault.detected();
    expect(
      await running.query("SELECT status FROM transactions WHERE status IN ('prepared', 'broadcast')"),
    ).toEqual([]);
  });
});

async function begin(): Promise<Stack> {
  stack = await Stack.start({ borrowers: demoBorrowers(30), shipped: true });
  await stack.devnet.startMining(BLOCK_MS);
  return stack;
}

async function fall(running: Stack, steps: typeof FALL): Promise<void> {
  for (const step of steps) await playStep(running.devnet, step);
}

/** Waits for a whole pass in which the bot saw a liquidatable position and refused it because of the halt. */
async function declined(bot: BotProcess): Promise<void> {
  await bot.waitFor('position-skipped', ({ reason }) => reason === 'halted');
  await bot.waitFor('pass');
}
