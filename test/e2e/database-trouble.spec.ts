import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DEMO_SCENARIO, demoBorrowers, playStep } from '../../devnet/index.js';
import type { BotSettings } from '../../devnet/stack/bot-config.js';
import type { BotProcess } from '../../devnet/stack/bot-process.js';
import { Stack } from '../../devnet/stack/stack.js';
import type { StatusAnswer } from '../../src/api/status-answer.js';
import { migrate } from '../../src/database/index.js';
import type { BotEvent, EventNamed } from '../../src/domain/events/events.js';
import { eventually } from '../../testing/eventually.js';
import { faultBegins } from '../../testing/fault-times.js';
import { fullDiskOf, type FullDisk } from '../../testing/full-disk.js';
import { OPEN, TcpProxy } from '../../testing/nodes/tcp-proxy.js';
import { hasPgBouncer, PgBouncer } from '../../testing/pg-bouncer.js';
import { allSettled, signedHashes } from './operator.js';

const BLOCK_MS = 250;
/** A transaction that was sent waits for its block for so long, at most. */
const SLOW_BLOCK_MS = 4_000;
/** In one direction: an answer takes twice as long. */
const DELAY_MS = 1_500;
const CONNECTIONS = 3;

let stack: Stack;
let events: BotEvent[];
let disk: FullDisk | undefined;
const falls = DEMO_SCENARIO.filter(({ name }) => name !== 'Relief').values();

beforeAll(async () => {
  stack = await Stack.start({ borrowers: demoBorrowers(50) });
  await stack.devnet.startMining(BLOCK_MS);
});

afterEach(async () => {
  await stack.bot?.stop();
});

afterAll(async () => {
  await stack.stop();
  disk?.remove();
});

describe('a bot whose database is in trouble', () => {
  it('F30 slow: THROTTLED, health and status answer before the database does, NORMAL by itself', async () => {
    const proxy = await TcpProxy.start(stack.postgres);
    const client = await connected(proxy.port);
    try {
      await start({ databasePort: proxy.port });
      await untilState('NORMAL');
      const fault = faultBegins();
      proxy.become({ kind: 'slow', ms: DELAY_MS });
      await untilThrottledByDatabase();
      fault.detected();
      await answersBefore(client);
      await fall();
      fault.over();
      proxy.become(OPEN);
      await untilState('NORMAL');
      await allSettled(stack);
      const before = await wonCount();
      await fall();
      await liquidatesMoreThan(before);
      fault.recovered();
    } finally {
      await stack.bot?.stop();
      await client.end();
      await proxy.stop();
    }
  });

  it.runIf(hasPgBouncer)(
    'F30 a pool that is exhausted: THROTTLED, health and status answer, NORMAL by itself when it has room',
    async () => {
      const pooler = await PgBouncer.start(stack.postgres, [`default_pool_size = ${CONNECTIONS}`]);
      const clients = await Promise.all([...Array(CONNECTIONS + 1).keys()].map(() => connected(pooler.port)));
      try {
        const [last, ...holders] = clients;
        if (!last) throw new Error('no client');
        await start({ databasePort: pooler.port });
        await untilState('NORMAL');
        const fault = faultBegins();
        await Promise.all(holders.map((holder) => holder.query('BEGIN')));
        await untilThrottledByDatabase();
        fault.detected();
        const before = await wonCount();
        await fall();
        await answersBefore(last, () => {
          fault.over();
          return Promise.all(holders.map((holder) => holder.query('ROLLBACK')));
        });
        await untilState('NORMAL');
        await liquidatesMoreThan(before);
        fault.recovered();
      } finally {
        await stack.bot?.stop();
        await Promise.all(clients.map((client) => client.end()));
        await pooler.stop();
      }
    },
  );

  it('F28 away while the market falls: signs nothing, HALTED after its time; settles what was in flight', async () => {
    const proxy = await TcpProxy.start(stack.postgres);
    let sent: EventNamed<'transaction-sent'> | undefined;
    let fault: ReturnType<typeof faultBegins> | undefined;
    try {
      const bot = await start({ databasePort: proxy.port, haltDatabaseAwaySeconds: 15 }, (event) => {
        if (event.event !== 'transaction-sent' || sent) return;
        sent = event;
        fault = faultBegins();
        proxy.become({ kind: 'away' });
      });
      await untilState('NORMAL');
      await stack.devnet.startMining(SLOW_BLOCK_MS);
      await fall();
      await eventually(() => sent !== undefined, 'a transaction in flight');
      const { hash, executionId } = sent!;
      await untilThrottledByDatabase();
      fault?.detected();
      const signed = await signedHashes(stack);
      await stack.devnet.startMining(BLOCK_MS);
      const skipped = bot.waitFor('position-skipped', ({ reason }) => reason === 'database-away');
      await fall();
      await skipped;
      await untilState('HALTED');
      expect((await status()).safety).toMatchObject({
        cause: 'database',
        reason: expect.stringMatching(/^the database has been away for \d+ s$/) as string,
      });
      expect((await stack.devnet.provider.getTransactionReceipt(hash))?.status).toBe(1);
      expect(settled(executionId)).toEqual([]);
      expect(await signedHashes(stack)).toEqual(signed);
      expect((await health('ready')).status).toBe(503);

      fault?.over();
      proxy.become(OPEN);
      await eventually(() => settled(executionId).length > 0, 'what was in flight to be settled');
      expect(settled(executionId)).toMatchObject([{ hash, status: 'succeeded' }]);
      expect((await status()).safety.state).toBe('HALTED');
      expect(await signedHashes(stack)).toEqual(signed);
      const before = await wonCount();
      await resumes();
      await liquidatesMoreThan(before);
      fault?.recovered();
    } finally {
      await stack.bot?.stop();
      await stack.devnet.startMining(BLOCK_MS);
      await proxy.stop();
    }
  });

  it('F31 its disk is full: HALTED and alive, an alert; with room an operator resumes and it liquidates', async () => {
    await migrate(stack.postgres);
    disk = await fullDiskOf((sql) => stack.query(sql));
    const bot = await start({});
    await untilState('NORMAL');
    // A halt soon after another one, as the one of the test before, is not told again.
    await eventually(async () => (await status()).alerts.active === 0, 'the last alerts to be over');
    const alert = bot.waitFor('alert-raised', ({ rule }) => rule === 'halted');
    const fault = faultBegins();
    await disk.fill();
    const stop = fallUntilHalted();
    await untilState('HALTED');
    fault.detected();
    await stop();
    expect((await status()).safety.reason).toMatch(/the disk of the database is full/);
    expect(await alert).toMatchObject({ severity: 'CRITICAL' });
    expect((await health('live')).status).toBe(200);
    expect((await health('ready')).status).toBe(503);
    const signed = await signedHashes(stack);
    await bot.waitFor('pass');
    await bot.waitFor('pass');
    expect(await signedHashes(stack)).toEqual(signed);

    fault.over();
    await disk.makeRoom();
    const before = await wonCount();
    await resumes();
    await liquidatesMoreThan(before);
    fault.recovered();
  });
});

async function start(
  settings: BotSettings,
  onEvent: (event: BotEvent) => void = () => undefined,
): Promise<BotProcess> {
  events = [];
  return stack.startBot((event) => {
    events.push(event);
    onEvent(event);
  }, settings);
}

async function fall(): Promise<void> {
  const { value: step } = falls.next();
  if (!step) throw new Error('the market has no further step');
  await playStep(stack.devnet, step);
}

/** A database that is full still takes the rows for which a page has room. @returns ends the falling */
function fallUntilHalted(): () => Promise<void> {
  const ending = new AbortController();
  const { signal } = ending;
  const falling = (async (): Promise<void> => {
    for (let step = falls.next(); !signal.aborted && step.value; step = falls.next()) {
      await playStep(stack.devnet, step.value);
      const block = await stack.devnet.provider.getBlockNumber();
      await eventually(
        async () => signal.aborted || ((await status()).head?.number ?? 0) > block + 4,
        'some passes',
      );
    }
  })();
  return async () => {
    ending.abort();
    await falling;
  };
}

async function status(): Promise<StatusAnswer> {
  return (await stack.api('/api/v1/status')).body as StatusAnswer;
}

const health = (which: 'live' | 'ready'): Promise<{ status: number }> => stack.api(`/health/${which}`);

async function untilState(state: string): Promise<void> {
  await eventually(async () => (await status()).safety.state === state, state);
}

async function untilThrottledByDatabase(): Promise<void> {
  await eventually(async () => {
    const { state, concerns } = (await status()).safety;
    return state === 'THROTTLED' && concerns.some(({ cause }) => cause === 'database');
  }, 'THROTTLED by the database');
}

async function connected(port: number): Promise<Client> {
  const { host, database, user, password } = stack.postgres;
  const client = new Client({ host, port, database, user, password: password.reveal() });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/**
 * Health and status answer while a statement of another client of the database waits.
 *
 * @param release lets the statement end.
 */
async function answersBefore(
  client: Client,
  release: () => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  let answered = false;
  const statement = client.query('SELECT 1').then(() => {
    answered = true;
  });
  const answers = await Promise.all([health('live'), health('ready'), stack.api('/api/v1/status')]);
  expect(answered).toBe(false);
  expect(answers[0].status).toBe(200);
  expect([200, 503]).toContain(answers[1].status);
  expect(answers[2].status).toBe(200);
  await release();
  await statement;
}

function settled(executionId: string): EventNamed<'execution-settled'>[] {
  return events.filter(
    (event): event is EventNamed<'execution-settled'> =>
      event.event === 'execution-settled' && event.executionId === executionId,
  );
}

async function resumes(): Promise<void> {
  const answer = await stack.api('/api/v1/safety/resume', { body: { reason: 'the database is well' } });
  expect(answer).toMatchObject({ status: 200 });
}

/** How many liquidations the rows know as won. */
async function wonCount(): Promise<number> {
  return (await stack.query("SELECT id FROM executions WHERE outcome = 'won'")).length;
}

async function liquidatesMoreThan(before: number): Promise<void> {
  await eventually(async () => (await wonCount()) > before, 'a liquidation');
  await allSettled(stack);
}
