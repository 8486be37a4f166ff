import type { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SeededRandom } from '../../devnet/random.js';
import { TestDatabase } from '../../testing/database.js';
import { eventually } from '../../testing/eventually.js';
import { MemoryCache } from '../cache/index.js';
import { CheckpointsRepository, type Checkpoint, type StoredPosition } from '../database/index.js';
import type { Address, Hash } from '../domain/hex.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import type { AccountChanges } from './followed.js';
import { CheckpointStore, type SavedAccounts } from './checkpoint-store.js';

const MARKET = 'aave';
const address = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}`;
const hash = (n: number): Hash => `0x${n.toString(16).padStart(64, '0')}`;
const block = (number: number): Checkpoint => ({ number, hash: hash(number) });
/** An account in the form of its market, which the store does not look into. */
const owing = (n: number, debt: bigint): StoredPosition => ({ account: address(n), state: `owes ${debt}` });
const only = (...changed: readonly StoredPosition[]): AccountChanges => ({ changed, gone: [] });
const NOTHING = only();

describe('the checkpoint store', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let cache: MemoryCache;
  let store: CheckpointStore;
  let events: RecordedEvents;

  beforeAll(async () => {
    database = await TestDatabase.start();
    ({ dataSource } = database);
  });

  beforeEach(() => {
    cache = new MemoryCache();
    events = new RecordedEvents();
    store = newStore();
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    await store.settled();
    await dataSource.query('TRUNCATE positions, checkpoints');
  });

  afterAll(async () => {
    await database.stop();
  });

  /** The store of another process, with the same database and this cache. */
  const newStore = (with_ = cache): CheckpointStore =>
    new CheckpointStore(new CheckpointsRepository(database.database, 31337), with_, events);

  /** What a restart loads after a kill at this moment. */
  const afterKill = (): Promise<SavedAccounts> => newStore().load(MARKET);
  /** The same, when the cache is lost too. */
  const durably = (): Promise<SavedAccounts> => newStore(new MemoryCache()).load(MARKET);

  const note = async (at: Checkpoint, changes = NOTHING): Promise<void> => {
    store.note(MARKET, at, changes);
    await store.settled();
  };

  describe('across restarts', () => {
    it('a new market has no accounts', async () => {
      expect(await afterKill()).toEqual({
        checkpoint: undefined,
        history: undefined,
        positions: [],
        unread: [],
      });
    });

    it('a search through the history goes on where it was killed, and its accounts have to be read', async () => {
      await store.saveHistory(MARKET, [], { scannedTo: -1, goal: 100 });
      await store.saveHistory(MARKET, [address(1), address(2)], { scannedTo: 40, goal: 100 });
      expect(await afterKill()).toEqual({
        checkpoint: undefined,
        history: { scannedTo: 40, goal: 100 },
        positions: [],
        unread: [address(1), address(2)],
      });
      // Meanwhile the bot is live: one of the accounts was read, and the logs of a head show another one.
      await note(block(101), only(owing(2, 7n), owing(3, 8n)));
      await store.saveHistory(MARKET, [address(2), address(4)], { scannedTo: 100, goal: 100 });
      const saved = await afterKill();
      expect(saved).toMatchObject({ checkpoint: block(101), history: { scannedTo: 100, goal: 100 } });
      expect(new Set(saved.positions)).toEqual(new Set([owing(2, 7n), owing(3, 8n)]));
      expect(new Set(saved.unread)).toEqual(new Set([address(1), address(4)]));
    });

    it('after the states are forgotten every borrower has to be read, also those only in the cache', async () => {
      await store.saveHistory(MARKET, [], { scannedTo: 9, goal: 9 });
      await note(block(10), only(owing(1, 1n)));
      await note(block(11), only(owing(1, 2n)));
      const restarted = newStore();
      await restarted.load(MARKET);
      await restarted.forgetStates(MARKET, { scannedTo: 5, goal: 12 });
      const forgotten = {
        checkpoint: undefined,
        history: { scannedTo: 5, goal: 12 },
        positions: [],
        unread: [address(1)],
      };
      expect(await afterKill()).toEqual(forgotten);
      restarted.note(MARKET, block(12), NOTHING);
      await restarted.settled();
      expect(await afterKill()).toEqual({ ...forgotten, checkpoint: block(12) });
    });

    it('100,000 accounts are read back exact to the unit', async () => {
      const random = new SeededRandom(11);
      const accounts = Array.from({ length: 100_000 }, (_, n) =>
        owing(n, BigInt(random.integer(0, 2 ** 31)) ** BigInt(random.integer(1, 8))),
      );
      store.note(MARKET, block(10), only(...accounts.slice(0, 60_000)));
      store.note(MARKET, block(11), only(...accounts.slice(60_000)));
      await store.flush();
      const { checkpoint, positions, unread } = await durably();
      expect(checkpoint).toEqual(block(11));
      expect(unread).toEqual([]);
      const text = (all: readonly StoredPosition[]): string[] =>
        all.map(({ account, state }) => `${account} ${JSON.stringify(state)}`).sort();
      expect(text(positions)).toEqual(text(accounts));
    });
  });

  describe('between two checkpoints in Postgres', () => {
    beforeEach(() => note(block(10), only(owing(1, 1n), owing(2, 2n), owing(3, 3n))));

    it('the next one is written after the pass of its block, as of the block that is the newest then', async () => {
      store.note(MARKET, block(20), only(owing(2, 20n)));
      await new Promise((resolve) => setImmediate(resolve));
      store.note(MARKET, block(21), only(owing(3, 30n)));
      await store.settled();
      const saved = await durably();
      expect(saved.checkpoint).toEqual(block(21));
      expect(new Set(saved.positions)).toEqual(new Set([owing(1, 1n), owing(2, 20n), owing(3, 30n)]));
    });

    it('the cache has the accounts that changed since, each in its last state', async () => {
      await note(block(11), { changed: [owing(2, 20n)], gone: [address(1)] });
      await note(block(12), only(owing(2, 200n), owing(4, 4n)));
      expect(await durably()).toMatchObject({
        checkpoint: block(10),
        positions: [owing(1, 1n), owing(2, 2n), owing(3, 3n)],
      });
      const saved = await afterKill();
      expect(saved.checkpoint).toEqual(block(12));
      expect(new Set(saved.positions)).toEqual(new Set([owing(2, 200n), owing(3, 3n), owing(4, 4n)]));
    });

    it('an account that was read or was removed since does not have to be read', async () => {
      await store.saveHistory(MARKET, [address(5), address(6), address(7)], { scannedTo: 9, goal: 9 });
      await note(block(11), { changed: [owing(5, 5n)], gone: [address(6)] });
      expect((await afterKill()).unread).toEqual([address(7)]);
    });

    it('changes that were only in the cache become durable with the next checkpoint', async () => {
      await note(block(11), { changed: [owing(2, 20n)], gone: [address(1)] });
      const restarted = newStore();
      await restarted.load(MARKET);
      restarted.note(MARKET, block(20), only(owing(3, 30n)));
      await restarted.settled();
      const saved = await durably();
      expect(saved.checkpoint).toEqual(block(20));
      expect(new Set(saved.positions)).toEqual(new Set([owing(2, 20n), owing(3, 30n)]));
    });

    it('changes that were only in the cache become durable at their block when the bot ends at once', async () => {
      await note(block(11), only(owing(2, 20n)));
      const restarted = newStore();
      await restarted.load(MARKET);
      await restarted.flush();
      const saved = await durably();
      expect(saved.checkpoint).toEqual(block(11));
      expect(saved.positions).toEqual(expect.arrayContaining([owing(2, 20n)]));
    });

    it('the cache is used only with its own checkpoint, and not with a database restored from a backup', async () => {
      await note(block(15), only(owing(2, 20n)));
      expect((await afterKill()).checkpoint).toEqual(block(15));
      await dataSource.query(`UPDATE checkpoints SET block_number = 5, block_hash = '${hash(5)}'`);
      expect(await afterKill()).toEqual(await durably());
    });

    it('a damaged cache is not used at all', async () => {
      const whole = { base: hash(10), number: 11, hash: hash(11) };
      const accounts = [
        [address(2), '1 1 5 0 7'],
        [address(3), null],
      ];
      const believed = async (value: Parameters<MemoryCache['set']>[1]): Promise<boolean> => {
        await cache.set('checkpoint:31337:aave', value, 60_000);
        return (await afterKill()).checkpoint?.number === 11;
      };
      expect(await believed({ ...whole, accounts })).toBe(true);
      for (const broken of [
        whole,
        { ...whole, accounts: {} },
        { ...whole, accounts: [...accounts, [address(1), 7]] },
        { ...whole, accounts: [...accounts, ['0x1', null]] },
        { ...whole, accounts: [...accounts, address(1)] },
        { ...whole, accounts: [...accounts, [address(1)]] },
        { ...whole, accounts, number: '11' },
        { ...whole, accounts, hash: '0x11' },
        { number: 11, hash: hash(11), accounts },
      ])
        expect(await believed(broken), JSON.stringify(broken)).toBe(false);
    });

    it('F33 without the cache a restart is at most ten blocks behind', async () => {
      await note(block(19), only(owing(2, 20n)));
      expect((await durably()).checkpoint).toEqual(block(10));
      await note(block(20));
      expect(await durably()).toMatchObject({ checkpoint: block(20) });
      expect((await durably()).positions).toEqual(expect.arrayContaining([owing(2, 20n)]));
    });

    it('too many changes for the cache leave its old content, which is older but complete', async () => {
      await note(block(11), only(owing(2, 20n)));
      await note(block(12), only(...Array.from({ length: 501 }, (_, n) => owing(100 + n, 1n))));
      const saved = await afterKill();
      expect(saved.checkpoint).toEqual(block(11));
      expect(saved.positions).toHaveLength(3);
      await note(block(20));
      expect((await afterKill()).positions).toHaveLength(504);
    });

    it('a flush at shut-down makes all changes durable, and does nothing without changes', async () => {
      await note(block(11), only(owing(2, 20n)));
      await store.flush();
      expect(await durably()).toMatchObject({ checkpoint: block(11) });
      expect((await durably()).positions).toEqual(expect.arrayContaining([owing(2, 20n)]));
      await note(block(12));
      await store.flush();
      expect((await durably()).checkpoint).toEqual(block(12));
      const [before] = await dataSource.query<unknown[]>('SELECT updated_at FROM checkpoints');
      await store.flush();
      expect(await dataSource.query('SELECT updated_at FROM checkpoints')).toEqual([before]);
    });
  });

  describe('F15 after a reorg', () => {
    beforeEach(() => note(block(10), only(owing(1, 1n), owing(2, 2n))));

    it('a lower block replaces the checkpoint at once', async () => {
      await note({ number: 8, hash: hash(800) }, { changed: [owing(1, 0n)], gone: [address(2)] });
      expect(await durably()).toMatchObject({
        checkpoint: { number: 8, hash: hash(800) },
        positions: [owing(1, 0n)],
      });
    });

    it('another block with the same number does too; the same block again does not', async () => {
      await note(block(10), only(owing(1, 5n)));
      expect((await durably()).positions).toEqual(expect.arrayContaining([owing(1, 1n)]));
      expect((await afterKill()).positions).toEqual(expect.arrayContaining([owing(1, 5n)]));
      await note({ number: 10, hash: hash(1000) });
      expect(await durably()).toMatchObject({ checkpoint: { number: 10, hash: hash(1000) } });
      expect((await durably()).positions).toEqual(expect.arrayContaining([owing(1, 5n)]));
    });
  });

  describe('while Postgres cannot write', () => {
    /** The events of writes that failed. */
    const warnings = (): string[] =>
      events.named('checkpoint-not-saved').map(({ market, message }) => `${market}: ${message}`);

    beforeEach(async () => {
      await note(block(10), only(owing(1, 1n), owing(2, 2n)));
    });

    it('F28 a write that fails halfway changes nothing, and the next write includes its changes', async () => {
      await dataSource.query('ALTER TABLE checkpoints RENAME TO away');
      await note(block(20), { changed: [owing(1, 10n), owing(3, 3n)], gone: [address(2)] });
      expect(warnings()).toEqual([expect.stringMatching(/^aave: .*checkpoints/)]);
      await note(block(21), { changed: [owing(2, 22n)], gone: [address(3)] });
      await dataSource.query('ALTER TABLE away RENAME TO checkpoints');
      expect(await durably()).toMatchObject({
        checkpoint: block(10),
        positions: [owing(1, 1n), owing(2, 2n)],
      });
      await note(block(22));
      const saved = await durably();
      expect(saved).toMatchObject({ checkpoint: block(22), unread: [] });
      expect(new Set(saved.positions)).toEqual(new Set([owing(1, 10n), owing(2, 22n)]));
    });

    it('F29 blocks noted during a write whose connection is cut are written together later', async () => {
      const blocker = dataSource.createQueryRunner();
      await blocker.startTransaction();
      await blocker.query('LOCK TABLE checkpoints IN EXCLUSIVE MODE');
      store.note(MARKET, block(20), only(owing(1, 10n), owing(2, 20n)));
      await eventually(
        async () => (await waitingWrites()).length > 0,
        'the write to reach its last statement',
      );
      for (let number = 21; number < 30; number += 1)
        store.note(MARKET, block(number), only(owing(1, BigInt(number))));
      const [write] = await waitingWrites();
      await dataSource.query(`SELECT pg_terminate_backend(${write?.pid ?? 0})`);
      await blocker.rollbackTransaction();
      await blocker.release();
      await store.settled();
      expect(warnings()).toEqual([expect.stringMatching(/^aave: the database does not serve/)]);
      const saved = await durably();
      expect(saved.checkpoint).toEqual(block(29));
      expect(new Set(saved.positions)).toEqual(new Set([owing(1, 29n), owing(2, 20n)]));
    });

    it('a flush that fails does not stop the bot from ending', async () => {
      await note(block(11), only(owing(1, 10n)));
      await dataSource.query('ALTER TABLE positions RENAME TO away');
      await store.flush();
      await dataSource.query('ALTER TABLE away RENAME TO positions');
      expect(warnings()).toHaveLength(1);
      expect((await afterKill()).checkpoint).toEqual(block(11));
    });

    it('a load or a search that fails throws, and does not harm later writes', async () => {
      await dataSource.query('ALTER TABLE positions RENAME TO away');
      await expect(store.load(MARKET)).rejects.toThrow(/positions/);
      await expect(store.saveHistory(MARKET, [address(9)], { scannedTo: 1, goal: 2 })).rejects.toThrow(
        /positions/,
      );
      await dataSource.query('ALTER TABLE away RENAME TO positions');
      await note(block(20), only(owing(1, 10n)));
      expect(await durably()).toMatchObject({ checkpoint: block(20), history: undefined });
    });

    async function waitingWrites(): Promise<{ pid: number }[]> {
      return dataSource.query(
        `SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO checkpoints%'`,
      );
    }
  });
});
