import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TestDatabase } from '../../testing/database.js';
import { MIGRATIONS } from './data-source.js';
import type { Database } from './database.js';
import { migrate, revertLastMigration } from './migrate.js';
import { SafetyRepository } from './repositories/safety.js';

const SENDER = `0x${'5e'.repeat(20)}`;
const DAY = '2026-01-31';
const USD = 100_000_000n;
const MARK = ' (of all chains: from before each had its own state)';

/** From one safety state for a database to one for each chain of it, and back. */
describe('migration 0017', { timeout: 60_000 }, () => {
  let running: TestDatabase;
  let database: Database;
  let nonce = 0;

  beforeAll(async () => {
    running = await TestDatabase.start();
    ({ database } = running);
  });

  afterAll(() => running.stop());

  beforeEach(() => takeBack());

  afterEach(async () => {
    await running.dataSource.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    await migrate(running.server);
  });

  /** To the tables of before migration 0017. */
  async function takeBack(): Promise<void> {
    const { length }: readonly unknown[] = MIGRATIONS;
    for (let left = length; left > 16; left--) await revertLastMigration(running.server);
  }

  const state = async (chainId: number): Promise<string> =>
    (await new SafetyRepository(database, chainId).load()).status.state;
  const volume = async (chainId: number): Promise<bigint | undefined> =>
    (await new SafetyRepository(database, chainId).volumeUsd8ByDay()).get(DAY);

  /** What version 0016 stores. */
  const halted = (cause = 'operator'): Promise<unknown> =>
    database.query(
      `UPDATE safety_state SET state = 'HALTED', reason = 'a drill', actor = 'ops', cause = $1, version = 7,
         consecutive_failures = 2, concerns = jsonb_build_array(jsonb_build_object(
           'cause', $1::text, 'level', 'HALTED', 'reason', 'a drill', 'actor', 'ops', 'sinceMs', 5, 'numbers', '{}'::jsonb))`,
      [cause],
    );
  const lease = (chainId: number): Promise<unknown> =>
    database.query(
      `INSERT INTO leases (chain_id, wallet, holder, epoch, acquired_at, renewed_at, expires_at)
       VALUES ($1, $2, 'a', 1, now(), now(), now())`,
      [chainId, SENDER],
    );
  /** A transaction of a chain that books so many dollars. */
  async function booked(chainId: number, usd: number): Promise<void> {
    nonce += 1;
    const hash = `0x${nonce.toString(16).padStart(64, '0')}`;
    await database.query(
      `WITH e AS (
         INSERT INTO executions (chain_id, wallet, protocol, borrower, block_number, block_hash, health_factor, mode,
           status, plan, notional_usd)
         VALUES ($1, $2, 'aave', $2, 1, $3, 1, 'live', 'rejected', '{}', $4) RETURNING id)
       INSERT INTO transactions (execution_id, chain_id, sender, nonce, hash, raw, status, booked_day)
         SELECT id, $1, $2, $5, $3, '0x02', 'mined', $6::date FROM e`,
      [chainId, SENDER, hash, usd, nonce, DAY],
    );
    await database.query(
      `INSERT INTO daily_volume AS d VALUES ($1::date, $2)
       ON CONFLICT (day) DO UPDATE SET notional_usd = d.notional_usd + excluded.notional_usd`,
      [DAY, usd],
    );
  }

  it('a halt of the only chain that is known is its own, to the letter; another chain comes up HALTED too', async () => {
    await lease(8453);
    await halted();
    await migrate(running.server);
    const { status, version } = await new SafetyRepository(database, 8453).load();
    expect({ status, version }).toMatchObject({
      version: 7,
      status: { state: 'HALTED', reason: 'a drill', actor: 'ops', consecutiveFailures: 2 },
    });
    expect(status.concerns).toMatchObject([{ cause: 'operator', reason: 'a drill', sinceMs: 5 }]);
    const other = await new SafetyRepository(database, 1).load();
    expect(other.status).toMatchObject({ state: 'HALTED', reason: `a drill${MARK}` });
    expect(other.status.concerns).toMatchObject([{ cause: 'operator', reason: `a drill${MARK}` }]);
  });

  it('a halt where several chains are known, or none, holds for each of them, whichever starts first', async () => {
    await lease(8453);
    await lease(10);
    await halted('chain');
    await migrate(running.server);
    for (const chainId of [10, 1, 8453]) expect(await state(chainId)).toBe('HALTED');
    // One is resumed; those that have not begun stay as they were.
    const resumed = new SafetyRepository(database, 10);
    const { status, version } = await resumed.load();
    await resumed.save({ ...status, state: 'NORMAL', concerns: [] }, version);
    expect(await Promise.all([10, 8453, 42161].map(state))).toEqual(['NORMAL', 'HALTED', 'HALTED']);
  });

  it('without a halt the known chain goes on where it was, and another one begins anew', async () => {
    await lease(8453);
    await database.query(
      `UPDATE safety_state SET reason = 'resumed', consecutive_failures = 2, version = 9, rates_since = now()`,
    );
    await migrate(running.server);
    expect(await new SafetyRepository(database, 8453).load()).toMatchObject({
      version: 9,
      status: { state: 'NORMAL', reason: 'resumed', consecutiveFailures: 2 },
    });
    expect(await new SafetyRepository(database, 1).load()).toMatchObject({
      version: 1,
      status: { state: 'NORMAL', reason: 'first start', consecutiveFailures: 0, ratesSinceMs: 0 },
    });
  });

  it('the volume of a day is divided by what the transactions say; what they do not explain counts for each', async () => {
    await booked(8453, 300);
    await booked(8453, 50);
    await booked(10, 40);
    await database.query('UPDATE daily_volume SET notional_usd = notional_usd + 7');
    await migrate(running.server);
    expect(await volume(8453)).toBe(357n * USD);
    expect(await volume(10)).toBe(47n * USD);
    await takeBack();
    expect(await database.query('SELECT day::text, notional_usd FROM daily_volume')).toEqual([
      { day: DAY, notional_usd: '397.00000000' },
    ]);
    await migrate(running.server);
  });

  it('history and audit are kept, are shown to every chain where none is known, and stay append-only', async () => {
    await database.query(
      `INSERT INTO state_transitions (from_state, to_state, reason, actor, at) VALUES ('NORMAL', 'HALTED', 'bug', 'chimera', now())`,
    );
    await database.query(
      `INSERT INTO operator_actions (actor, role, action, reason, at) VALUES ('ops', 'operator', 'halt', 'a drill', now())`,
    );
    await migrate(running.server);
    for (const chainId of [1, 8453]) {
      const repository = new SafetyRepository(database, chainId);
      expect(await repository.transitions(9)).toMatchObject([{ chainId: 0, reason: 'bug' }]);
      expect(await repository.actions(9)).toMatchObject([{ chainId: 0, action: 'halt' }]);
      expect(await repository.haltsSince(new Date(0))).toBe(1);
    }
    for (const table of ['state_transitions', 'operator_actions'])
      await expect(database.query(`UPDATE ${table} SET chain_id = 1`)).rejects.toThrow(/append-only/);
  });

  it('down: the worst state of the chains stays, with the worst concern of each cause, and up again', async () => {
    await migrate(running.server);
    const concern = (cause: string, level: string, sinceMs: number): object => {
      return { cause, level, reason: `${cause} ${sinceMs}`, actor: 'chimera', sinceMs, numbers: {} };
    };
    const set = (chainId: number, word: string, failures: number, concerns: readonly object[]) =>
      database.query(
        `INSERT INTO safety_state (chain_id, state, reason, actor, consecutive_failures, since, version, concerns)
         VALUES ($1, $2, $3, 'chimera', $4, now(), $1, $5::jsonb)`,
        [chainId, word, `of ${chainId}`, failures, JSON.stringify(concerns)],
      );
    await set(1, 'NORMAL', 2, []);
    await set(10, 'THROTTLED', 0, [concern('rpc', 'THROTTLED', 1), concern('books', 'THROTTLED', 2)]);
    await set(8453, 'HALTED', 1, [concern('rpc', 'HALTED', 3)]);
    await takeBack();
    const [row, ...none] = await database.query(
      'SELECT id, state, reason, consecutive_failures, version, concerns FROM safety_state',
    );
    expect(none).toEqual([]);
    expect(row).toEqual({
      ...{ id: 1, state: 'HALTED', reason: 'of 8453', consecutive_failures: 2, version: '8454' },
      concerns: [concern('books', 'THROTTLED', 2), concern('rpc', 'HALTED', 3)],
    });
    await migrate(running.server);
    expect(await state(1)).toBe('HALTED');
  });
});
