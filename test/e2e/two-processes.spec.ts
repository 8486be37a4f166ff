import { afterEach, describe, expect, it } from 'vitest';
import { DEMO_SCENARIO, demoBorrowers, playStep } from '../../devnet/index.js';
import type { BotProcess } from '../../devnet/stack/bot-process.js';
import { Stack } from '../../devnet/stack/stack.js';
import { eventually } from '../../testing/eventually.js';
import { allSettled, minedCount, outcomeOf } from './operator.js';
import { faultBegins } from '../../testing/fault-times.js';

const BLOCK_MS = 250;
const [FIRST_FALL, SECOND_FALL, THIRD_FALL] = DEMO_SCENARIO;
/** The lease lasts 3 s and is asked for each 0.5 s; the rest is for a busy machine to take over. */
const TAKE_OVER_MS = 5_000;

interface Row {
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

describe('two processes with one key and one database', () => {
  it('F26 one signs, the other one stands by; after a kill it takes over, and after SIGTERM at once', async () => {
    const running = await begin();
    const leader = await running.startBot();
    const standby = await second(running);
    expect(await statusOf(running, leader)).toMatchObject({ lease: { role: 'leader', epoch: 1 } });
    const waiting = await statusOf(running, standby);
    expect(waiting).toMatchObject({ phase: 'running', lease: { role: 'standby', epoch: 1 } });
    expect(waiting.lease.holder).toBe((await statusOf(running, leader)).lease.holder);
    expect(await running.api('/health/ready', { bot: standby })).toMatchObject({
      status: 200,
      body: { details: { lease: { status: 'up', role: 'standby' } } },
    });

    const left = standby.waitFor('position-skipped', ({ reason }) => reason === 'standing-by');
    const settled = leader.waitFor('execution-settled', ({ status }) => status === 'succeeded');
    await fall(running, FIRST_FALL);
    await Promise.all([left, settled]);
    await booksEqualTheChain(running);

    // A halt that an operator asks of either one counts for both.
    await running.api('/api/v1/safety/halt', { bot: standby, body: { reason: 'a look' } });
    await eventually(
      async () => (await statusOf(running, leader)).safety.state === 'HALTED',
      'the halt to reach the leader',
    );
    await running.api('/api/v1/safety/resume', { bot: leader, body: { reason: 'all well' } });

    const taken = standby.waitFor('lease-acquired', () => true, TAKE_OVER_MS + 60_000);
    const expiresIn = await leaseLeftMs(running);
    const fault = faultBegins();
    await leader.kill();
    const killedAt = Date.now();
    expect(await taken).toMatchObject({ epoch: 2 });
    fault.detected();
    fault.over();
    expect(expiresIn).toBeLessThanOrEqual(3_000);
    const [{ after } = { after: '' }] = await running.query<{ after: string }>(
      'SELECT (extract(epoch FROM acquired_at) * 1000 - $1)::text AS after FROM leases',
      [killedAt],
    );
    expect(Number(after)).toBeLessThan(TAKE_OVER_MS);

    const more = standby.waitFor('execution-settled', ({ status }) => status === 'succeeded');
    await fall(running, SECOND_FALL);
    await more;
    fault.recovered();
    await booksEqualTheChain(running);

    const third = await second(running);
    const inherited = third.waitFor('lease-acquired');
    const gone = standby.stop();
    expect(await inherited).toMatchObject({ epoch: 3 });
    expect((await gone).code).toBe(0);
    const again = third.waitFor('execution-settled', ({ status }) => status === 'succeeded');
    await fall(running, THIRD_FALL);
    await again;
    await booksEqualTheChain(running);
    expect(await haltsByTheBot(running)).toEqual([]);
  });

  it('F27 a leader that was frozen past its lease writes nothing any more, and stands by', async () => {
    const running = await begin();
    const leader = await running.startBot();
    const standby = await second(running);
    // Frozen in the middle of its work: what it has signed or concluded then comes late.
    const busy = leader.waitFor('plan-ready');
    await fall(running, FIRST_FALL);
    await busy;
    const taken = standby.waitFor('lease-acquired');
    const fault = faultBegins();
    leader.freeze();
    expect(await taken).toMatchObject({ epoch: 2 });
    fault.detected();
    const settled = standby.waitFor('execution-settled', ({ status }) => status === 'succeeded');
    await fall(running, SECOND_FALL);
    await settled;

    const lost = leader.waitFor('lease-lost', ({ epoch }) => epoch === 1);
    const stands = leader.waitFor('standing-by', ({ epoch }) => epoch === 2);
    const sentLate: string[] = [];
    void leader.waitFor('transaction-sent').then(
      ({ hash }) => sentLate.push(hash),
      () => undefined,
    );
    fault.over();
    leader.thaw();
    await Promise.all([lost, stands]);
    await eventually(
      async () => (await statusOf(running, leader)).lease.role === 'standby',
      'the former leader to say that it stands by',
    );
    fault.recovered();
    const passed = leader.waitFor('pass');
    const more = standby.waitFor('execution-settled', ({ status }) => status === 'succeeded');
    await fall(running, THIRD_FALL);
    await Promise.all([more, passed]);
    const rows = await booksEqualTheChain(running);
    // What it had handed over when it was frozen has its row. Nothing without a row ever left.
    expect(rows.map(({ hash }) => hash)).toEqual(expect.arrayContaining(sentLate));
    expect(await haltsByTheBot(running)).toEqual([]);
    for (const bot of [leader, standby])
      expect((await statusOf(running, bot)).safety.state).not.toBe('HALTED');
  });
});

async function begin(): Promise<Stack> {
  stack = await Stack.start({ borrowers: demoBorrowers(30) });
  await stack.devnet.startMining(BLOCK_MS);
  return stack;
}

/** Starts one more bot, which stands by. */
async function second(running: Stack): Promise<BotProcess> {
  const bot = await running.launchBot();
  await Promise.all([
    bot.waitFor('standing-by'),
    bot.waitFor('bot-started'),
    bot.waitFor('backfill-finished'),
    bot.waitFor('api-listening'),
    bot.waitFor('pass'),
  ]);
  return bot;
}

async function fall(running: Stack, step: (typeof DEMO_SCENARIO)[number] | undefined): Promise<void> {
  if (!step) throw new Error('the scenario has fewer steps');
  await playStep(running.devnet, step);
}

interface Status {
  readonly phase: string;
  readonly lease: { readonly role: string; readonly holder: string | null; readonly epoch: number | null };
  readonly safety: { readonly state: string };
}

async function statusOf(running: Stack, bot: BotProcess): Promise<Status> {
  return (await running.api('/api/v1/status', { bot })).body as Status;
}

async function leaseLeftMs(running: Stack): Promise<number> {
  const [row] = await running.query<{ left: string }>(
    'SELECT (extract(epoch FROM expires_at - now()) * 1000)::text AS left FROM leases',
  );
  return Number(row?.left);
}

/** Halts that no operator asked for. */
function haltsByTheBot(running: Stack): Promise<object[]> {
  return running.query(
    `SELECT reason FROM state_transitions WHERE to_state = 'HALTED' AND actor = 'chimera'`,
  );
}

/**
 * Waits until nothing is in flight. Then each nonce of the wallet has one row, without a gap, and each row
 * says what its receipt says.
 */
async function booksEqualTheChain(running: Stack): Promise<readonly Row[]> {
  let rows: readonly Row[] = [];
  await eventually(async () => {
    await allSettled(running);
    rows = await running.query<Row>(
      `SELECT t.nonce::text, t.hash, t.status, e.status AS execution
         FROM transactions t JOIN executions e ON e.id = t.execution_id ORDER BY t.nonce`,
    );
    return rows.length === (await minedCount(running));
  }, 'the books to equal the chain');
  expect(rows.map(({ nonce }) => Number(nonce))).toEqual(rows.map((_, index) => index));
  for (const { hash, status, execution } of rows) {
    expect(status).toBe('mined');
    expect(execution).toBe(await outcomeOf(running, hash));
  }
  return rows;
}
