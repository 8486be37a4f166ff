import type { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestDatabase } from '../../../testing/database.js';
import { eventually } from '../../../testing/eventually.js';
import { RetryError } from '../../domain/errors.js';
import type { Address, Hash } from '../../domain/hex.js';
import type { Database } from '../database.js';
import { CheckpointsRepository, type Checkpoint, type StoredPosition } from './checkpoints.js';

const account = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}`;
const hash = (n: number): Hash => `0x${n.toString(16).padStart(64, '0')}`;
const block = (number: number): Checkpoint => ({ number, hash: hash(number) });
const position = (n: number, state: StoredPosition['state'] = [n]): StoredPosition => ({
  account: account(n),
  state,
});

describe('stored positions', { timeout: 60_000 }, () => {
  let running: TestDatabase;
  let dataSource: DataSource;
  let database: Database;
  let checkpoints: CheckpointsRepository;

  beforeAll(async () => {
    running = await TestDatabase.start();
    ({ dataSource, database } = running);
    checkpoints = new CheckpointsRepository(database, 31337);
  });

  afterEach(async () => {
    await dataSource.query('TRUNCATE positions, checkpoints');
  });

  afterAll(() => running.stop());

  it('a new protocol has none', async () => {
    expect(await checkpoints.load('aave')).toEqual({
      checkpoint: undefined,
      history: undefined,
      positions: [],
      unread: [],
    });
  });

  it('bots of two chains, each with a market of this name: neither sees, moves or forgets what the other has', async () => {
    const other = new CheckpointsRepository(database, 8453);
    await checkpoints.saveCheckpoint('aave', block(10), [position(1), position(2)], []);
    await other.saveHistory('aave', [account(1), account(7)], { scannedTo: 5, goal: 9 });
    await other.saveCheckpoint('aave', block(3), [position(1, ['on base'])], [account(2)]);
    const positions = [position(1), position(2)];
    expect(await checkpoints.load('aave')).toMatchObject({ checkpoint: block(10), positions, unread: [] });
    expect(await other.load('aave')).toMatchObject({
      checkpoint: block(3),
      positions: [position(1, ['on base'])],
      unread: [account(7)],
    });
    await checkpoints.forgetStates('aave', { scannedTo: 10, goal: 10 });
    expect(await other.load('aave')).toMatchObject({
      checkpoint: block(3),
      history: { scannedTo: 5, goal: 9 },
    });
    expect((await checkpoints.load('aave')).positions).toEqual([]);
  });

  it('rows from before chains were told apart go to the first bot that asks, and to no second one', async () => {
    await checkpoints.saveCheckpoint('aave', block(10), [position(1)], []);
    await dataSource.query('UPDATE checkpoints SET chain_id = 0');
    await dataSource.query('UPDATE positions SET chain_id = 0');
    const first = new CheckpointsRepository(database, 8453);
    expect(await first.load('aave')).toMatchObject({ checkpoint: block(10), positions: [position(1)] });
    expect(await checkpoints.load('aave')).toMatchObject({ checkpoint: undefined, positions: [] });
  });

  it('F27 the late checkpoint of a process that stood still is refused; a later one of it is written', async () => {
    await checkpoints.saveCheckpoint('aave', block(10), [position(1), position(2)], []);
    await checkpoints.saveCheckpoint('aave', block(30), [position(1, ['at 30'])], [], block(10));
    await expect(
      checkpoints.saveCheckpoint('aave', block(20), [position(1, ['at 20'])], [account(2)], block(10)),
    ).rejects.toBeInstanceOf(RetryError);
    const positions = [position(1, ['at 30']), position(2)];
    expect(await checkpoints.load('aave')).toMatchObject({ checkpoint: block(30), positions });
    // It has followed the chain since: what changed after its own checkpoint includes all that the other
    // wrote.
    const later = [position(1, ['at 31'])];
    await checkpoints.saveCheckpoint('aave', block(31), later, [account(2)], block(10));
    expect(await checkpoints.load('aave')).toMatchObject({ checkpoint: block(31), positions: later });
  });

  it('a checkpoint updates changed positions, deletes those that are gone, and leaves all others alone', async () => {
    await checkpoints.saveCheckpoint('other', block(9), [position(1, ['another'])], []);
    await checkpoints.saveCheckpoint('aave', block(10), [position(1), position(2), position(3)], []);
    await checkpoints.saveCheckpoint(
      'aave',
      block(20),
      [position(2, { deep: ['2', null] })],
      [account(3), account(7)],
    );
    expect(await checkpoints.load('aave')).toEqual({
      checkpoint: block(20),
      history: undefined,
      positions: [position(1), position(2, { deep: ['2', null] })],
      unread: [],
    });
    expect((await checkpoints.load('other')).positions).toEqual([position(1, ['another'])]);
  });

  it('F15 a checkpoint of a lower block replaces the one before', async () => {
    await checkpoints.saveCheckpoint('aave', block(20), [position(1)], []);
    await checkpoints.saveCheckpoint(
      'aave',
      { number: 18, hash: hash(777) },
      [position(1, [0])],
      [],
      block(20),
    );
    const saved = await checkpoints.load('aave');
    expect(saved.checkpoint).toEqual({ number: 18, hash: hash(777) });
    expect(saved.positions).toEqual([position(1, [0])]);
  });

  it('a search adds borrowers that were not known, before any checkpoint and after it', async () => {
    await checkpoints.saveHistory('aave', [account(1), account(2)], { scannedTo: -1, goal: 50 });
    expect(await checkpoints.load('aave')).toEqual({
      checkpoint: undefined,
      history: { scannedTo: -1, goal: 50 },
      positions: [],
      unread: [account(1), account(2)],
    });
    await checkpoints.saveCheckpoint('aave', block(60), [position(2)], []);
    await checkpoints.saveHistory('aave', [account(2), account(3)], { scannedTo: 50, goal: 50 });
    const saved = await checkpoints.load('aave');
    expect(saved).toMatchObject({ checkpoint: block(60), history: { scannedTo: 50, goal: 50 } });
    expect(saved.positions).toEqual([position(2)]);
    expect(new Set(saved.unread)).toEqual(new Set([account(1), account(3)]));
  });

  it('forgetting the states keeps the borrowers and how far the history was searched', async () => {
    await checkpoints.saveCheckpoint('other', block(9), [position(1)], []);
    await checkpoints.saveCheckpoint('aave', block(10), [position(1)], []);
    await checkpoints.forgetStates('aave', { scannedTo: 5, goal: 12 });
    expect(await checkpoints.load('aave')).toEqual({
      checkpoint: undefined,
      history: { scannedTo: 5, goal: 12 },
      positions: [],
      unread: [account(1)],
    });
    expect(await checkpoints.load('other')).toMatchObject({ checkpoint: block(9), positions: [position(1)] });
  });

  it('a whole market at a block is stored with its history, beside what is known, and not over a later block', async () => {
    await checkpoints.saveCheckpoint('aave', block(10), [position(1), position(2)], []);
    await checkpoints.saveHistory('aave', [account(3)], { scannedTo: 4, goal: 10 });
    await checkpoints.saveWhole(
      'aave',
      block(20),
      [position(1, 'next')],
      [account(2), account(3), account(4)],
    );
    const whole = {
      checkpoint: block(20),
      history: { scannedTo: 20, goal: 20 },
      positions: [position(1, 'next')],
      unread: [],
    };
    expect(await checkpoints.load('aave')).toEqual(whole);
    await expect(checkpoints.saveWhole('aave', block(19), [], [account(1)])).rejects.toThrow(RetryError);
    expect(await checkpoints.load('aave')).toEqual(whole);
  });

  it('positions that need several statements are one transaction: a failure at its end undoes all of it', async () => {
    const many = Array.from({ length: 12_000 }, (_, n) => position(n));
    await checkpoints.saveCheckpoint('aave', block(10), many, []);
    await dataSource.query('ALTER TABLE checkpoints RENAME TO away');
    const next = many.map(({ account: one }) => ({ account: one, state: 'next' }));
    const saving = checkpoints.saveCheckpoint('aave', block(20), next.slice(1), [account(0)]);
    await expect(saving).rejects.toThrow(/checkpoints/);
    await dataSource.query('ALTER TABLE away RENAME TO checkpoints');
    const saved = await checkpoints.load('aave');
    expect(saved.checkpoint).toEqual(block(10));
    expect([...saved.positions].sort((a, b) => (a.account < b.account ? -1 : 1))).toEqual(many);
  });

  it('F29 a connection that is cut before the commit leaves the previous checkpoint complete', async () => {
    await checkpoints.saveCheckpoint('aave', block(10), [position(1), position(2)], []);
    const blocker = dataSource.createQueryRunner();
    await blocker.startTransaction();
    await blocker.query('LOCK TABLE checkpoints IN EXCLUSIVE MODE');
    const saving = checkpoints.saveCheckpoint('aave', block(20), [position(1, 'next')], [account(2)]);
    const cut = expect(saving).rejects.toThrow(RetryError);
    await eventually(async () => {
      const killed = await database.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO checkpoints%'`,
      );
      return killed.length > 0;
    }, 'the write to reach its last statement');
    await cut;
    await blocker.rollbackTransaction();
    await blocker.release();
    expect(await checkpoints.load('aave')).toMatchObject({
      checkpoint: block(10),
      positions: [position(1), position(2)],
    });
  });

  it('reads one snapshot, even when a checkpoint is committed meanwhile', async () => {
    await checkpoints.saveCheckpoint('aave', block(10), [position(1)], []);
    const writer = dataSource.createQueryRunner();
    await writer.startTransaction();
    await writer.query('LOCK TABLE positions IN ACCESS EXCLUSIVE MODE');
    const loading = checkpoints.load('aave');
    await eventually(async () => {
      const waiting = await database.query(
        `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'DECLARE known%'`,
      );
      return waiting.length > 0;
    }, 'the reader to have read the checkpoint');
    await writer.query(`UPDATE positions SET state = '["next"]'`);
    await writer.query(`UPDATE checkpoints SET block_number = 20, block_hash = '${hash(20)}'`);
    await writer.commitTransaction();
    await writer.release();
    expect(await loading).toMatchObject({ checkpoint: block(10), positions: [position(1)] });
    expect(await checkpoints.load('aave')).toMatchObject({
      checkpoint: block(20),
      positions: [position(1, ['next'])],
    });
  });
});
