import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startApi, URL_SECRET, VIEWER_KEY, type ApiApp } from '../../testing/api-app.js';

describe('health', () => {
  let api: ApiApp;

  beforeEach(async () => {
    api = await startApi();
  });

  afterEach(() => api.close());

  const ready = async (status: number): Promise<unknown> => {
    const answer = await api.http.get('/health/ready').expect(status);
    return answer.body;
  };

  it('is ready when the bot runs, heads come, the database answers and the bot is not halted', async () => {
    expect(await ready(200)).toMatchObject({
      status: 'ok',
      details: {
        bot: { status: 'up' },
        lease: { status: 'up', role: 'dry-run' },
        head: { status: 'up' },
        database: { status: 'up' },
        safety: { status: 'up', state: 'NORMAL' },
      },
    });
  });

  it('F26 a stand-by is ready: for reading, and to take over', async () => {
    api.world.bot = { ...api.world.bot, lease: { role: 'standby', holder: 'host/1/ab', epoch: 7 } };
    const answer = await ready(200);
    expect(answer).toMatchObject({ details: { lease: { status: 'up', role: 'standby' } } });
    expect(JSON.stringify(answer)).not.toContain('host/1/ab');
  });

  it('is ready while THROTTLED: the bot still works', async () => {
    api.world.safety = { ...api.world.safety, state: 'THROTTLED' };
    expect(await ready(200)).toMatchObject({ details: { safety: { state: 'THROTTLED' } } });
  });

  it('is live, whatever is down', async () => {
    api.world.bot = { ...api.world.bot, phase: 'starting' };
    api.world.databaseError = new Error('away');
    const answer = await api.http.get('/health/live').expect(200);
    expect(answer.body).toMatchObject({ status: 'ok' });
  });

  it('is not ready before the first view, and says so', async () => {
    api.world.bot = { ...api.world.bot, phase: 'starting', head: undefined, sinceLastPassMs: undefined };
    api.world.head = undefined;
    expect(await ready(503)).toMatchObject({
      status: 'error',
      error: {
        bot: { status: 'down', message: 'the bot is starting' },
        head: { status: 'down', message: 'no block has been seen yet' },
      },
    });
  });

  it('F13 is not ready when no new block came for more than 30 s, and is again with the next one', async () => {
    const { head } = api.world;
    api.world.head = head && { ...head, receivedAtMs: performance.now() - 42_000 };
    expect(await ready(503)).toMatchObject({ error: { head: { message: 'no new block for 42 s' } } });
    api.world.head = head && { ...head, receivedAtMs: performance.now() };
    await ready(200);
  });

  it('is not ready when the loop stands still', async () => {
    api.world.bot = { ...api.world.bot, sinceLastPassMs: 31_000 };
    expect(await ready(503)).toMatchObject({ error: { head: { message: 'no pass for 31 s' } } });
  });

  it('is not ready when passes fail while the chain goes on', async () => {
    const { head } = api.world;
    api.world.head = head && { ...head, timestamp: head.timestamp + 60 };
    expect(await ready(503)).toMatchObject({
      error: { head: { message: 'the positions are 60 s behind the newest block' } },
    });
  });

  it('F53 is not ready while passes fail, says how many and why without an address, and is again after a success', async () => {
    const well = api.world.bot.failures;
    const lastError = `connect ECONNREFUSED db.internal:5432, then 10.0.0.5:5432 and https://x/${URL_SECRET}`;
    api.world.bot = {
      ...api.world.bot,
      failures: { ...well, failedInARow: 4, failingSinceMs: 2_000.4, lastError, serious: true },
    };
    expect(await ready(503)).toMatchObject({
      error: {
        passes: {
          status: 'down',
          message: '4 passes in a row have failed',
          failedInARow: 4,
          failingSinceMs: 2_000,
          lastError: 'connect ECONNREFUSED *** then *** and ***',
        },
      },
    });
    api.world.bot = { ...api.world.bot, failures: { ...well, runningSinceMs: 7_000, serious: true } };
    expect(await ready(503)).toMatchObject({
      error: { passes: { message: 'a pass has been running for 7 s' } },
    });
    api.world.bot = { ...api.world.bot, failures: well };
    await ready(200);
  });

  it('F45 is not ready while borrowers are missing, names the reserves without numbers, and is again when none is', async () => {
    const missing = {
      asset: `0x${'01'.repeat(20)}`,
      symbol: 'USDC',
      known: '5',
      total: '17.5',
      lacks: true,
    } as const;
    api.world.bot = { ...api.world.bot, incomplete: [{ market: 'aave', missing: [missing] }] };
    const answer = await ready(503);
    expect(answer).toMatchObject({
      error: { borrowers: { message: 'incomplete: not every borrower is known of aave (debts of USDC)' } },
    });
    expect(JSON.stringify(answer)).not.toContain('17.5');
    api.world.bot = { ...api.world.bot, incomplete: [{ market: 'aave', missing: [] }] };
    expect(await ready(503)).toMatchObject({
      error: { borrowers: { message: 'incomplete: not every borrower is known of aave' } },
    });
    api.world.bot = { ...api.world.bot, incomplete: [] };
    await ready(200);
  });

  it('F28 is not ready while the database is down, without its address, and is ready again when it is back', async () => {
    api.world.databaseError = new Error('connect ECONNREFUSED 10.0.0.5:5432, user "chimera"');
    expect(await ready(503)).toMatchObject({
      error: { database: { status: 'down', message: 'the database does not answer' } },
    });
    expect(JSON.stringify(await ready(503))).not.toMatch(/10\.0\.0\.5|chimera|ECONN/);
    api.world.databaseError = undefined;
    await expect.poll(async () => (await api.http.get('/health/ready')).status, { timeout: 5_000 }).toBe(200);
  });

  it('is not ready with too little gas to send, and does not say how much there is', async () => {
    api.world.bot = { ...api.world.bot, operatorBalanceWei: 10n ** 17n - 1n };
    expect(await ready(503)).toMatchObject({
      error: {
        gas: { status: 'down', message: 'the operator wallet holds less than safety.minOperatorBalanceEth' },
      },
    });
  });

  it('is not ready while HALTED, with the reason but without any URL in it', async () => {
    api.world.safety = {
      ...api.world.safety,
      state: 'HALTED',
      reason: `drift, seen at https://node.example/${URL_SECRET} and wss://x/${URL_SECRET}`,
    };
    expect(await ready(503)).toMatchObject({
      error: { safety: { status: 'down', state: 'HALTED', message: 'drift, seen at *** and ***' } },
    });
  });

  it('A09 a bug in a check is a 500 with an id, not a stack', async () => {
    Object.defineProperty(api.world, 'bot', {
      get: () => {
        throw new TypeError('oops');
      },
    });
    expect(await ready(500)).toMatchObject({ statusCode: 500, error: 'Internal Server Error' });
  });

  it('A10 shows no numbers of the business without a key', async () => {
    const text = JSON.stringify(await ready(200));
    expect(text).not.toMatch(/position|liquidat|profit|endpoint|127\.0\.0\.1/i);
    expect(text).not.toContain(URL_SECRET);
    await api.http.get('/health/ready').set('Authorization', `Bearer ${VIEWER_KEY}`).expect(200);
  });
});
