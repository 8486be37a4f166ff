import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { demoBorrowers } from '../../devnet/index.js';
import { Stack } from '../../devnet/stack/stack.js';
import { toAddress } from '../../src/domain/hex.js';
import type { BotEvent } from '../../src/domain/events/events.js';
import { eventually } from '../../testing/eventually.js';
import { KILL_SEED, killMoments, killAt } from './kill-moments.js';

const BORROWERS = 20;

interface Status {
  readonly safety: { readonly state: string; readonly reason: string };
  readonly positions: { readonly total: number };
  readonly backfill: readonly unknown[];
  readonly head: { readonly number: number };
}

let stack: Stack;

beforeEach(async () => {
  stack = await Stack.start({ borrowers: demoBorrowers(BORROWERS) });
});

afterEach(async () => {
  await stack.stop();
});

describe("the bot's state of the market", () => {
  it('halts the bot when it differs from the chain: the position is named, recorded and corrected', async () => {
    await stack.startBot();
    await stack.devnet.mine();
    await eventually(async () => (await status()).positions.total === BORROWERS, 'every position');
    await stack.bot?.stop();
    // As if a log had been missed: two positions are swapped in the saved state.
    const [first, second] = await stack.query<{ account: string; state: unknown }>(
      'SELECT account, state FROM positions WHERE state IS NOT NULL ORDER BY state::text LIMIT 2',
    );
    if (!first || !second) throw new Error('two saved positions were expected');
    for (const [one, other] of [
      [first, second],
      [second, first],
    ] as const)
      await stack.query('UPDATE positions SET state = $2 WHERE account = $1', [
        one.account,
        JSON.stringify(other.state),
      ]);

    const events: BotEvent[] = [];
    await stack.startBot((event) => events.push(event));
    await stack.devnet.mine();
    await eventually(async () => (await status()).safety.state === 'HALTED', 'a halt');
    const { reason } = (await status()).safety;
    expect(reason).toContain(first.account);
    expect(reason).toContain(second.account);
    const recorded = (): Promise<{ account: string }[]> =>
      stack.query('SELECT account FROM divergences ORDER BY account');
    await eventually(async () => (await recorded()).length === 2, 'both to be recorded');
    expect((await recorded()).map(({ account }) => account)).toEqual(
      [first.account, second.account].toSorted(),
    );

    await stack.api('/api/v1/safety/resume', { body: { reason: 'it was read again' } });
    const before = events.filter(({ event }) => event === 'divergence').length;
    for (let block = 0; block < 3; block += 1) {
      const { number } = (await status()).head;
      await stack.devnet.mine();
      await eventually(async () => (await status()).head.number > number, 'the next block');
    }
    expect((await status()).safety.state).toBe('NORMAL');
    expect(events.filter(({ event }) => event === 'divergence')).toHaveLength(before);
  });

  it('F15 is rolled back with the chain while the bot runs and stays NORMAL', async () => {
    await stack.startBot();
    const { WETH } = await stack.devnet.prices();
    const fork = await stack.devnet.snapshot();
    const gone = await stack.devnet.openPosition({
      collaterals: [{ symbol: 'WETH', amount: 10n ** 18n }],
      debts: [{ symbol: 'USDC', amount: 10n ** 8n }],
    });
    await stack.devnet.setPrice('WETH', (WETH * 98n) / 100n);
    await eventually(async () => (await status()).positions.total === BORROWERS + 1, 'the new borrower');

    await stack.devnet.revert(fork);
    await stack.devnet.setPrice('WETH', (WETH * 101n) / 100n);
    await stack.devnet.mine(30);
    const head = await stack.devnet.provider.getBlockNumber();
    await eventually(async () => (await status()).head.number >= head, 'the new branch');
    expect(await status()).toMatchObject({ safety: { state: 'NORMAL' }, positions: { total: BORROWERS } });
    await stack.bot?.stop();
    const saved = await stack.query<{ account: string }>(
      'SELECT account FROM positions WHERE state IS NOT NULL',
    );
    expect(saved).toHaveLength(BORROWERS);
    expect(saved.map(({ account }) => account)).not.toContain(toAddress(gone));
    expect(await stack.query('SELECT 1 FROM divergences')).toEqual([]);
  });

  it(`survives kill -9 again and again (seed ${KILL_SEED}), from the start on, and is complete in the end`, async () => {
    for (const moment of killMoments(KILL_SEED, ['bot-started', 'backfill-finished', 'api-listening'])) {
      const killed = killAt(await stack.launchBot(), moment);
      await stack.devnet.mine();
      await killed;
    }
    await stack.startBot();
    await stack.devnet.mine();
    await eventually(async () => (await status()).positions.total === BORROWERS, 'every position');
    expect(await status()).toMatchObject({ safety: { state: 'NORMAL' }, backfill: [] });
    expect(await stack.query('SELECT 1 FROM divergences')).toEqual([]);
  });
});

async function status(): Promise<Status> {
  return (await stack.api('/api/v1/status')).body as Status;
}
