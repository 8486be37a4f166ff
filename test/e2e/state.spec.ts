import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { demoBorrowers } from '../../devnet/index.js';
import { Stack } from '../../devnet/stack/stack.js';
import { toAddress } from '../../src/domain/hex.js';
import type { BotEvent } from '../../src/domain/events/events.js';
import { eventually } from '../../testing/eventually.js';
import { KILL_SEED, killMoments, killAt } from './kill-moments.js';
import { faultBegins } from '../../testing/fault-times.js';

const BORROWERS = 20;

interface Status {
  readonly safety: { readonly state: string; readonly reason: string };
  readonly positions: { readonly total: number; readonly setAside: readonly unknown[] };
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
  /** As if logs had been missed: the saved states of so many positions are exchanged. */
  const confuse = async (count: number): Promise<string[]> => {
    const saved = await stack.query<{ account: string; state: unknown }>(
      'SELECT account, state FROM positions WHERE state IS NOT NULL ORDER BY state::text LIMIT $1',
      [count],
    );
    for (const [index, { account }] of saved.entries())
      await stack.query('UPDATE positions SET state = $2 WHERE account = $1', [
        account,
        JSON.stringify(saved[(index + 1) % count]?.state),
      ]);
    return saved.map(({ account }) => account).toSorted();
  };
  const nextBlock = async (): Promise<void> => {
    const { number } = (await status()).head;
    await stack.devnet.mine();
    await eventually(async () => (await status()).head.number > number, 'the next block');
  };
  const recorded = async (): Promise<string[]> => {
    const rows = await stack.query<{ account: string }>('SELECT account FROM divergences');
    return rows.map(({ account }) => account).toSorted();
  };
  /** The rows are written beside the passes. */
  const rowsOf = async (accounts: readonly string[]): Promise<void> => {
    await eventually(async () => (await recorded()).length === accounts.length, 'the rows');
    expect(await recorded()).toEqual(accounts);
  };
  const saveAndStop = async (): Promise<void> => {
    await stack.startBot();
    await stack.devnet.mine();
    await eventually(async () => (await status()).positions.total === BORROWERS, 'every position');
    await stack.bot?.stop();
  };

  it('F52 two positions that differ from the chain are set aside, recorded, read again and released, without a halt', async () => {
    await saveAndStop();
    const wrong = await confuse(2);
    const events: BotEvent[] = [];
    await stack.startBot((event) => events.push(event));
    const released = (): number => events.filter(({ event }) => event === 'position-released').length;
    while (released() < 2) await nextBlock();
    await rowsOf(wrong);
    expect(events.filter(({ event }) => event === 'divergence')).toHaveLength(2);
    await nextBlock();
    await nextBlock();
    expect(await status()).toMatchObject({ safety: { state: 'NORMAL' }, positions: { setAside: [] } });
    expect(events.filter(({ event }) => event === 'divergence')).toHaveLength(2);
    expect((await stack.api('/health/ready')).status).toBe(200);
  });

  it('F52 halts when many positions differ from the chain, names them, and all are right after a resume', async () => {
    await saveAndStop();
    const wrong = await confuse(5);
    const fault = faultBegins();
    await stack.startBot();
    while ((await status()).safety.state !== 'HALTED') await nextBlock();
    fault.detected();
    const { reason } = (await status()).safety;
    for (const account of wrong) expect(reason).toContain(account);
    await rowsOf(wrong);

    fault.over();
    await stack.api('/api/v1/safety/resume', { body: { reason: 'they were read again' } });
    await nextBlock();
    while ((await status()).positions.setAside.length > 0) await nextBlock();
    await nextBlock();
    expect((await status()).safety.state).toBe('NORMAL');
    fault.recovered();
    expect(await recorded()).toEqual(wrong);
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

    const fault = faultBegins();
    await stack.devnet.revert(fork);
    await stack.devnet.setPrice('WETH', (WETH * 101n) / 100n);
    await stack.devnet.mine(30);
    const head = await stack.devnet.provider.getBlockNumber();
    await eventually(async () => (await status()).head.number >= head, 'the new branch');
    fault.recovered();
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
