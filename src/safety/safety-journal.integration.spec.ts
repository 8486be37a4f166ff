import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ProxiedDatabase, type TestDatabase } from '../../testing/database.js';
import { eventually } from '../../testing/eventually.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { standIn } from '../../testing/fakes/stand-in.js';
import { killedWriter } from '../../testing/killed-writer.js';
import { OPEN, type TcpProxy } from '../../testing/nodes/tcp-proxy.js';
import { Database, QueuedWritesRepository, SafetyRepository } from '../database/index.js';
import { Clock } from '../domain/clock.js';
import { SecretScrubber } from '../domain/secret-forms.js';
import { Journal, type Journals } from '../journal/index.js';
import { SafetyController } from './safety-controller.js';
import { SafetyJournal } from './safety-journal.js';

const OPS = { name: 'ops', role: 'operator', address: '127.0.0.1' };
const NO_LIMITS = {
  maxSingleExecutionUsd8: 1n,
  maxDailyVolumeUsd8: 1n,
  maxConsecutiveFailures: 3,
  minOperatorBalanceWei: 0n,
} as ConstructorParameters<typeof SafetyController>[1];

describe('F28 the safety state while the database is away', () => {
  let proxied: ProxiedDatabase;
  /** Past the proxy. */
  let running: TestDatabase;
  let proxy: TcpProxy;
  let directory: string;
  let events: RecordedEvents;
  const controllers: SafetyController[] = [];

  beforeAll(async () => {
    proxied = await ProxiedDatabase.start();
    ({ behind: running, proxy } = proxied);
  });

  afterAll(() => proxied.stop());

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'safety-'));
    events = new RecordedEvents();
    proxy.become(OPEN);
    const resuming = await start();
    if (resuming.status().state !== 'NORMAL') await resuming.resume('the next test', OPS);
    await end();
    await running.database.query('ALTER TABLE operator_actions DISABLE TRIGGER keep_rows');
    await running.database.query('DELETE FROM operator_actions');
  });

  afterEach(async () => {
    await end();
    await rm(directory, { recursive: true });
  });

  async function end(): Promise<void> {
    for (const controller of controllers.splice(0)) await controller.beforeApplicationShutdown();
  }

  function build(chainId = 31337): SafetyController {
    const database = new Database(proxied.dataSource);
    const journals = standIn<Journals>('journals', {
      open: (name, parse, formerName) =>
        Journal.open({ directory, name, parse, formerName, secrets: new SecretScrubber([]) }),
    });
    const journal = new SafetyJournal(journals, new QueuedWritesRepository(database), chainId);
    const controller = new SafetyController(
      new SafetyRepository(database, chainId),
      NO_LIMITS,
      events,
      new Clock(),
      journal,
    );
    controllers.push(controller);
    return controller;
  }

  async function start(chainId?: number): Promise<SafetyController> {
    const controller = build(chainId);
    await controller.onModuleInit();
    return controller;
  }

  /** Records in the files of the journal that are not marked as done. */
  async function recordsOnDisk(): Promise<number> {
    const files = (await readdir(directory)).filter((name) => name.endsWith('.journal'));
    const texts = await Promise.all(files.map((name) => readFile(join(directory, name), 'utf8')));
    const lines = texts.flatMap((text) => text.split('\n').filter((line) => line !== ''));
    const marks = lines.flatMap((line) => /"done":(\[.*?\])/.exec(line)?.[1] ?? []);
    const done = new Set(marks.flatMap((ids) => JSON.parse(ids) as string[]));
    return lines.filter((line) => {
      const id = /^\S+ \{"id":"([^"]+)"/.exec(line)?.[1];
      return id !== undefined && !done.has(id);
    }).length;
  }

  const actions = async (): Promise<unknown[]> => [
    ...(await running.database.query('SELECT actor, action, reason FROM operator_actions ORDER BY id')),
  ];

  /** Another process, in which `safety` is the controller. */
  const killed = (code: string): Promise<string[]> =>
    killedWriter(
      proxied,
      directory,
      `
      const { Database, QueuedWritesRepository, SafetyRepository } = await load('src/database/index.ts');
      const { Clock } = await load('src/domain/clock.ts');
      const { SafetyController } = await load('src/safety/safety-controller.ts');
      const { SafetyJournal } = await load('src/safety/safety-journal.ts');
      const database = new Database(source);
      const journal = new SafetyJournal({ open }, new QueuedWritesRepository(database), 31337);
      const events = { emit: ({ event }) => event === 'safety-not-saved' && say(event) };
      const safety = new SafetyController(
        new SafetyRepository(database, 31337), { maxConsecutiveFailures: 3, throttledSkipBps: 0 }, events, new Clock(), journal);
      await safety.onModuleInit();
      ${code}`,
    );

  const HALT = `
    say('cut');
    await new Promise((resolve) => process.stdin.on('end', resolve).resume());
    const { state } = await safety.halt('the market is mad', { name: 'ops', role: 'operator', address: '::1' });
    say(state);
    die();`;

  it('a halt of an operator outlives kill -9, and is saved once by the next process', async () => {
    expect(await killed(HALT)).toEqual(['cut', 'safety-not-saved', 'HALTED']);
    expect(await actions()).toEqual([]);

    proxy.become(OPEN);
    const next = await start();
    expect(next.status()).toMatchObject({ state: 'HALTED', reason: 'the market is mad', actor: 'ops' });
    expect(next.unsavedCount).toBe(0);
    const once = [{ actor: 'ops', action: 'halt', reason: 'the market is mad' }];
    expect(await actions()).toEqual(once);

    await end();
    expect((await start()).isHalted).toBe(true);
    expect(await actions()).toEqual(once);
  });

  it('what an earlier version kept was of every chain: a halt holds for those that began, and those that will', async () => {
    const database = new Database(running.dataSource);
    const chain = (chainId: number): SafetyRepository => new SafetyRepository(database, chainId);
    expect((await chain(10).load()).status.state).toBe('NORMAL');
    const name = `safety-${await new QueuedWritesRepository(database).databaseName()}`;
    const earlier = await Journal.open<object>({
      ...{ directory, name, parse: Object, secrets: new SecretScrubber([]) },
    });
    const event = { kind: 'raise', cause: 'operator', level: 'HALTED', reason: 'from before', actor: 'ops' };
    await earlier.append({ id: randomUUID(), event, atMs: Date.now() });
    await earlier.close();

    const next = await start();
    expect(next.status()).toMatchObject({ state: 'HALTED', reason: 'from before' });
    for (const chainId of [31337, 10, 1])
      expect((await chain(chainId).load()).status).toMatchObject({ state: 'HALTED', reason: 'from before' });
    expect(await recordsOnDisk()).toBe(0);
    // Back to what the other cases expect.
    await running.database.query(`DELETE FROM safety_state WHERE chain_id NOT IN (0, 31337)`);
    await running.database.query(
      `UPDATE safety_state SET state = 'NORMAL', concerns = '[]' WHERE chain_id = 0`,
    );
  });

  it('what the bot of another chain kept in the same directory is left to it', async () => {
    expect(await killed(HALT)).toEqual(['cut', 'safety-not-saved', 'HALTED']);
    proxy.become(OPEN);
    const other = await start(8453);
    expect(other.status().state).toBe('NORMAL');
    expect(await recordsOnDisk()).toBe(1);
    expect((await start()).status()).toMatchObject({ state: 'HALTED', reason: 'the market is mad' });
    expect((await new SafetyRepository(running.database, 8453).load()).status.state).toBe('NORMAL');
  });

  it('a process that starts while the database is away does not come up, and is HALTED as far as it comes', async () => {
    await killed(HALT);
    const early = build();
    await expect(early.onModuleInit()).rejects.toThrow('the database does not serve');
    expect(early.isHalted).toBe(true);

    proxy.become(OPEN);
    expect((await start()).status()).toMatchObject({ state: 'HALTED', actor: 'ops' });
  });

  it('an operator resumes after it, and the halt does not come again', async () => {
    await killed(HALT);
    proxy.become(OPEN);
    const next = await start();
    expect(await next.resume('it is calm again', OPS)).toMatchObject({ state: 'NORMAL' });
    await end();

    expect((await start()).status().state).toBe('NORMAL');
  });

  it('killed after the change was saved and before the journal knows: it is not saved twice', async () => {
    const said = await killed(`
      journal.done = () => { say('saved'); die(); return new Promise(() => {}); };
      const { keep } = journal;
      const save = SafetyRepository.prototype.save;
      SafetyRepository.prototype.save = async function (...given) {
        await journal.keep(() => safety.unsaved);
        return save.apply(this, given);
      };
      await safety.halt('once', { name: 'ops', role: 'operator', address: '::1' });`);
    expect(said).toEqual(['saved']);
    const once = [{ actor: 'ops', action: 'halt', reason: 'once' }];
    expect(await actions()).toEqual(once);

    const next = await start();
    expect(next.status()).toMatchObject({ state: 'HALTED', reason: 'once' });
    expect(next.unsavedCount).toBe(0);
    expect(await actions()).toEqual(once);
  });

  it('the end of a trouble that a killed process kept does not end the next trouble of that cause', async () => {
    const CLEAR = `
      await safety.raise('rpc', 'THROTTLED', 'the first trouble');
      say('cut');
      await new Promise((resolve) => process.stdin.on('end', resolve).resume());
      await safety.clear('rpc', 'it is over');
      die();`;
    expect(await killed(CLEAR)).toEqual(['cut', 'safety-not-saved']);
    expect(await recordsOnDisk()).toBe(1);
    proxy.become(OPEN);
    // Another process, on another machine: it knows nothing of that journal.
    const other = new SafetyController(
      new SafetyRepository(new Database(proxied.dataSource), 31337),
      NO_LIMITS,
      new RecordedEvents(),
    );
    await other.onModuleInit();
    await other.clear('rpc', 'as this one saw it too');
    await other.raise('rpc', 'THROTTLED', 'the second trouble');

    const next = await start();
    expect(next.status()).toMatchObject({ state: 'THROTTLED', reason: 'the second trouble' });
    expect(next.unsavedCount).toBe(0);
    await eventually(async () => (await recordsOnDisk()) === 0, 'the journal to be empty');
  });

  it('changes that come at once while the database is away have one record each, and none when it is back', async () => {
    const safety = await start();
    proxy.become({ kind: 'away' });
    await safety.raise('rpc', 'THROTTLED', 'no endpoint serves');
    await Promise.all([
      safety.raise('database', 'THROTTLED', 'the database is away'),
      safety.raise('chain', 'HALTED', 'the chain stands still'),
      safety.clear('rpc', 'one serves again'),
    ]);
    expect(await recordsOnDisk()).toBe(4);

    proxy.become(OPEN);
    await eventually(() => safety.unsavedCount === 0, 'the changes to be saved');
    await eventually(async () => (await recordsOnDisk()) === 0, 'the journal to be empty');
    expect(safety.status()).toMatchObject({ state: 'HALTED', cause: 'chain' });
  });

  it('F29 a change whose answer was lost is saved once', async () => {
    const safety = await start();
    await running.database.query(`
      CREATE FUNCTION stand_still() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(0.6); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON operator_actions
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION stand_still()`);
    try {
      const halting = safety.halt('once', OPS);
      await eventually(async () => {
        const query = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE state = 'active' AND query = 'COMMIT'`;
        const [row] = await running.database.query(query);
        return row?.n === 1;
      }, 'the commit to be under way');
      proxy.become({ kind: 'away' });
      await halting;
      await eventually(async () => (await actions()).length === 1, 'the server to commit');
    } finally {
      await running.database.query('DROP TRIGGER slow_commit ON operator_actions; DROP FUNCTION stand_still');
    }
    expect(safety.unsavedCount).toBe(1);
    proxy.become(OPEN);
    await eventually(() => safety.unsavedCount === 0, 'the change to be saved');

    expect(await actions()).toEqual([{ actor: 'ops', action: 'halt', reason: 'once' }]);
    expect(safety.status()).toMatchObject({ state: 'HALTED', reason: 'once' });
  });
});
