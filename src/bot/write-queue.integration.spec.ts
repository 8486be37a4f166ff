import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { aPlan } from '../../testing/builders/plan.js';
import { ProxiedDatabase, type TestDatabase } from '../../testing/database.js';
import { eventually } from '../../testing/eventually.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { standIn } from '../../testing/fakes/stand-in.js';
import { killedWriter } from '../../testing/killed-writer.js';
import { OPEN, type TcpProxy } from '../../testing/nodes/tcp-proxy.js';
import {
  Database,
  DatabaseAvailability,
  QueuedWritesRepository,
  type NewExecution,
} from '../database/index.js';
import { Clock } from '../domain/clock.js';
import { messageOf } from '../domain/errors.js';
import { SecretScrubber } from '../domain/secret-forms.js';
import { executionRow } from '../execution/index.js';
import { Journal, type Journals } from '../journal/index.js';
import type { FailurePolicy } from '../safety/index.js';
import { WriteQueue } from './write-queue.js';
import { faultBegins } from '../../testing/fault-times.js';

const WALLET = `0x${'0e'.repeat(20)}` as const;
const OWNER = { chainId: 8453, wallet: WALLET } as const;

/** A decision of a dry run. The block tells one from another. */
const decided = (block: number): NewExecution => ({
  ...executionRow(aPlan(), { ...OWNER, mode: 'dry-run' }, 'dry-run'),
  blockNumber: block,
});

const refused = (block: number): { kind: 'execution'; row: NewExecution } => ({
  kind: 'execution',
  row: {
    ...executionRow(aPlan(), { ...OWNER, mode: 'dry-run' }, 'rejected', {
      reason: 'profit-below-floor',
    }),
    blockNumber: block,
  },
});

let database: ProxiedDatabase;
/** Past the proxy. */
let running: TestDatabase;
let proxy: TcpProxy;
let directory: string;
let events: RecordedEvents;
let failures: string[];
const queues: WriteQueue[] = [];

beforeAll(async () => {
  database = await ProxiedDatabase.start();
  ({ behind: running, proxy } = database);
});

afterAll(() => database.stop());

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'writes-'));
  events = new RecordedEvents();
  failures = [];
  proxy.become(OPEN);
  await running.database.query('ALTER TABLE executions DISABLE TRIGGER keep_rows');
  await running.database.query('DELETE FROM executions');
  await running.database.query('DELETE FROM applied_writes');
});

afterEach(async () => {
  for (const queue of queues.splice(0)) await queue.beforeApplicationShutdown();
  await rm(directory, { recursive: true });
});

/** As a process has it: all of them with one journal. */
async function start(): Promise<WriteQueue> {
  const availability = new DatabaseAvailability(events, new Clock());
  const queue = new WriteQueue(
    new QueuedWritesRepository(new Database(database.dataSource, availability)),
    availability,
    standIn<Journals>('journals', {
      open: (name, parse) => Journal.open({ directory, name, parse, secrets: new SecretScrubber([]) }),
    }),
    standIn<FailurePolicy>('policy', {
      failed: (error) => {
        failures.push(messageOf(error));
        return Promise.resolve('halt');
      },
    }),
    events,
  );
  queues.push(queue);
  await queue.onModuleInit();
  return queue;
}

async function blocks(status: string): Promise<number[]> {
  const rows = await running.database.query(
    'SELECT block_number::int AS block FROM executions WHERE status = $1 ORDER BY id',
    [status],
  );
  return rows.map(({ block }) => Number(block));
}

const upTo = (count: number, from = 1): number[] => Array.from({ length: count }, (_, n) => from + n);

describe('rows that no pass waits for', () => {
  it('are written in their order', async () => {
    const queue = await start();
    queue.add(...upTo(60).map(refused));
    const [kept] = await queue.keep([decided(1_000)]);
    await queue.idle();

    expect(await blocks('rejected')).toEqual(upTo(60));
    expect(await blocks('dry-run')).toEqual([1_000]);
    const found = await running.database.query('SELECT id::text FROM executions WHERE block_number = 1000');
    expect(found).toEqual([{ id: kept?.id }]);
    expect(kept?.isWritten).toBe(true);
    expect(queue.status).toEqual({ waiting: 0, inJournal: 0, dropped: 0 });
    expect(failures).toEqual([]);
  });

  it('F28 wait while the database is away: 100 at most, the oldest refusal goes first, no decision ever', async () => {
    const queue = await start();
    const fault = faultBegins();
    proxy.become({ kind: 'away' });
    queue.add(refused(1), refused(2));
    expect(await queue.keep([decided(3)])).toMatchObject([{ isWritten: false }]);
    fault.detected();
    for (const block of upTo(120, 4)) queue.add(refused(block));
    await queue.keep([decided(200), decided(201)]);

    expect(queue.status.waiting).toBe(100);
    expect(queue.status.inJournal).toBe(3);
    expect(queue.status.dropped).toBe(25);
    expect(events.named('writes-dropped').at(-1)).toMatchObject({ kind: 'execution', dropped: 25 });

    fault.over();
    proxy.become(OPEN);
    await eventually(() => queue.status.waiting === 0, 'everything to be written');
    fault.recovered();
    await queue.idle();
    expect(await blocks('dry-run')).toEqual([3, 200, 201]);
    const left = await blocks('rejected');
    expect(left).toHaveLength(97);
    expect(left.filter((block) => block >= 29)).toEqual(upTo(95, 29));
    expect(events.named('writes-caught-up')).toEqual([{ event: 'writes-caught-up', written: 100 }]);
    expect(failures).toEqual([]);
  });

  it('F29 are written once when the answer to a commit is lost', async () => {
    const queue = await start();
    // The bytes of the commit arrive, and its answer does not.
    await running.database.query(`
      CREATE FUNCTION stand_still() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(0.6); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON executions
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION stand_still()`);
    try {
      const keeping = queue.keep([decided(1)]);
      await eventually(async () => {
        const query = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE state = 'active' AND query = 'COMMIT'`;
        const [row] = await running.database.query(query);
        return row?.n === 1;
      }, 'the commit to be under way');
      proxy.become({ kind: 'away' });
      expect(await keeping).toMatchObject([{ isWritten: false }]);
      await eventually(async () => (await blocks('dry-run')).length === 1, 'the server to commit');
    } finally {
      await running.database.query('DROP TRIGGER slow_commit ON executions; DROP FUNCTION stand_still');
    }
    proxy.become(OPEN);
    await eventually(() => queue.status.waiting === 0, 'the queue to be empty');

    expect(await blocks('dry-run')).toEqual([1]);
  });

  it('F28 a row that the database refuses stops no other', async () => {
    const queue = await start();
    proxy.become({ kind: 'away' });
    const wrong = { ...refused(2).row, borrower: 'nobody' as typeof WALLET };
    queue.add(refused(1), { kind: 'execution', row: wrong }, refused(3));
    await queue.idle();
    proxy.become(OPEN);
    await eventually(() => queue.status.waiting === 0, 'the queue to be empty');
    await queue.idle();

    expect(await blocks('rejected')).toEqual([1, 3]);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toContain('the database refused a statement');
    expect(queue.status.dropped).toBe(1);
  });

  it('F31 a full disk of the database: halts, keeps what it has, and goes on when there is room', async () => {
    const queue = await start();
    await running.database.query(`
      CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
      CREATE TRIGGER no_room BEFORE INSERT ON executions FOR EACH ROW EXECUTE FUNCTION no_room()`);
    const fault = faultBegins();
    await expect(queue.keep([decided(1)])).rejects.toThrow('the disk of the database is full');
    fault.detected();
    queue.add(refused(2));
    await queue.idle();
    expect(failures).toEqual(['the disk of the database is full: could not extend file']);
    expect(queue.status).toEqual({ waiting: 1, inJournal: 0, dropped: 0 });

    fault.over();
    await running.database.query('DROP TRIGGER no_room ON executions; DROP FUNCTION no_room');
    await eventually(() => queue.status.waiting === 0, 'the row to be written');
    fault.recovered();
    expect(await blocks('rejected')).toEqual([2]);
  });

  it('forgets the writes that can no longer come again', async () => {
    const queue = await start();
    await running.database.query(
      `INSERT INTO applied_writes (id, at) VALUES (gen_random_uuid(), now() - interval '31 days')`,
    );
    await queue.keep([decided(1)]);
    queue.add(refused(2));
    await queue.idle();

    expect(await running.database.query('SELECT count(*)::int AS n FROM applied_writes')).toEqual([{ n: 2 }]);
  });
});

describe('kill -9 while the database is away', () => {
  /** Another process with the queue. */
  const killed = (code: string): Promise<string[]> =>
    killedWriter(
      database,
      directory,
      `
      const { Database, DatabaseAvailability, QueuedWritesRepository } = await load('src/database/index.ts');
      const { Clock } = await load('src/domain/clock.ts');
      const { WriteQueue } = await load('src/bot/write-queue.ts');
      const { executionRow } = await load('src/execution/index.ts');
      const { aPlan } = await load('testing/builders/plan.ts');
      const decided = (block) => ({
        ...executionRow(aPlan(), { chainId: 8453, wallet: '${WALLET}', mode: 'dry-run' }, 'dry-run'), blockNumber: block,
      });
      const availability = new DatabaseAvailability({ emit: () => {} }, new Clock());
      const repository = new QueuedWritesRepository(new Database(source, availability));
      const queue = new WriteQueue(
        repository, availability, { open }, { failed: (error) => say(String(error)) }, { emit: () => {} });
      await queue.onModuleInit();
      ${code}`,
    );

  it('F28 what was decided is written by the next process, once and in order', async () => {
    const said = await killed(`
      say('cut');
      for (let block = 1; block <= 20; block += 1) {
        const [kept] = await queue.keep([decided(block)]);
        if (kept.isWritten) block -= 1; // The connection is not cut yet.
        else say(String(block));
      }
      die();`);
    expect(said).toEqual(['cut', ...upTo(20).map(String)]);
    const before = await blocks('dry-run');

    proxy.become(OPEN);
    const next = await start();
    expect(next.status.inJournal).toBe(20);
    await eventually(() => next.status.waiting === 0, 'the next process to write them');
    await next.idle();
    expect(await blocks('dry-run')).toEqual([...before, ...upTo(20)]);
    expect((await readdir(directory)).filter((file) => file.endsWith('.journal'))).toHaveLength(1);
  });

  it('F28 killed between the commit and the mark in the journal: nothing is written twice', async () => {
    const first = await start();
    proxy.become({ kind: 'away' });
    await first.keep([decided(1), decided(2)]);
    await first.beforeApplicationShutdown();
    queues.splice(0);

    proxy.become(OPEN);
    const said = await killed(`
      Journal.prototype.done = () => { say('written'); die(); return new Promise(() => {}); };
      setInterval(() => {}, 1000);
      await new Promise(() => {});`);
    expect(said).toEqual(['written']);
    expect(await blocks('dry-run')).toEqual([1, 2]);

    const last = await start();
    expect(last.status.inJournal).toBe(2);
    await eventually(() => last.status.waiting === 0, 'the journal to be empty');
    expect(await blocks('dry-run')).toEqual([1, 2]);
  });
});
