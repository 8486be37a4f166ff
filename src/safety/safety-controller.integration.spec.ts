import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createDataSource,
  Database,
  migrate,
  SafetyRepository,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '../database/index.js';
import { RetryError, SkipError } from '../domain/errors.js';
import { NO_SPEND } from '../domain/spend.js';
import type { SafetyIntent } from '../domain/authorisation.js';
import { toAddress } from '../domain/hex.js';
import { anAllowance } from '../../testing/builders/allowance.js';
import { ALICE, SAFETY_LIMITS } from '../../testing/builders/safety.js';
import { eventually } from '../../testing/eventually.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { StateConflict } from './operator.js';
import { SafetyController } from './safety-controller.js';

const USD = 10n ** 8n;
const LIMITS = { ...SAFETY_LIMITS, maxDailyVolumeUsd8: 1_000n * USD };
const IDLE = { inFlight: 0, operatorBalanceWei: 10n ** 18n, allowance: anAllowance() };
const borrower = (n: number): SafetyIntent['borrower'] => toAddress(`0x${n.toString(16).padStart(40, '0')}`);
const of = (notionalUsd8: bigint, n = 1): SafetyIntent => ({
  ...{ market: borrower(0), borrower: borrower(n), notionalUsd8, reservation: NO_SPEND },
});
const NOON = Date.UTC(2026, 0, 31, 12);
const AWAY = new RetryError('the database does not serve');

describe('SafetyController', { timeout: 60_000 }, () => {
  let dataDir: string;
  let server: EmbeddedPostgres;
  let dataSource: DataSource;
  let repository: SafetyRepository;
  let clock: TestClock;
  let events: RecordedEvents;

  const started = async (): Promise<SafetyController> => {
    const controller = new SafetyController(repository, LIMITS, events, clock);
    await controller.onModuleInit();
    return controller;
  };
  const transitionsSaved = async (): Promise<string[]> =>
    (await repository.transitions(20)).map(({ from, to, actor }) => `${from} ${to} ${actor}`).reverse();

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'chimera-safety-'));
    server = await startEmbeddedPostgres({ dataDir });
    dataSource = createDataSource(server);
    await dataSource.initialize();
  });

  beforeEach(async () => {
    clock = new TestClock(NOON);
    events = new RecordedEvents();
    await dataSource.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    await migrate(server);
    repository = new SafetyRepository(new Database(dataSource), 31337);
  });

  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  afterAll(async () => {
    await dataSource.destroy();
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('refuses everything before its state is read', () => {
    const controller = new SafetyController(repository, LIMITS, events);
    expect(controller.isHalted).toBe(true);
    expect(controller.authorise(of(1n), IDLE)).toMatchObject({ kind: 'rejected', reason: 'halted' });
  });

  it('HALTED survives a restart, with reason, actor and time, and only a resume leaves it', async () => {
    await (await started()).halt('pool drained?', ALICE);
    clock.advance(3_600_000);
    const restarted = await started();
    expect(restarted.status()).toEqual({
      state: 'HALTED',
      reason: 'pool drained?',
      actor: 'alice',
      cause: 'operator',
      numbers: {},
      consecutiveFailures: 0,
      sinceMs: NOON,
      concerns: [
        {
          ...{ cause: 'operator', level: 'HALTED', reason: 'pool drained?', actor: 'alice' },
          ...{ sinceMs: NOON, numbers: {} },
        },
      ],
      ratesSinceMs: 0,
    });
    await restarted.recordSuccess();
    await restarted.recordFailure('reverted');
    expect(restarted.isHalted).toBe(true);

    await restarted.resume('it was not', ALICE);
    expect(restarted.authorise(of(1n), IDLE)).toEqual({ kind: 'authorised' });
    expect((await started()).status()).toMatchObject({
      state: 'NORMAL',
      reason: 'it was not',
      actor: 'alice',
    });
    expect(await transitionsSaved()).toEqual(['NORMAL HALTED alice', 'HALTED NORMAL alice']);
  });

  it('audits the actions of a person, also those that change nothing, and not those of the bot', async () => {
    const controller = await started();
    await controller.halt('drill', ALICE);
    await controller.halt('drill again', { ...ALICE, name: 'bob', address: '10.0.0.7' });
    await controller.resume('over', ALICE);
    await controller.raise('books', 'HALTED', 'our books differ');
    const actions = (await repository.actions(10)).reverse();
    expect(
      actions.map(({ actor, role, action, reason, remote }) => ({ actor, role, action, reason, remote })),
    ).toEqual([
      { actor: 'alice', role: 'operator', action: 'halt', reason: 'drill', remote: '127.0.0.1' },
      { actor: 'bob', role: 'operator', action: 'halt', reason: 'drill again', remote: '10.0.0.7' },
      { actor: 'alice', role: 'operator', action: 'resume', reason: 'over', remote: '127.0.0.1' },
    ]);
    expect(controller.status()).toMatchObject({ reason: 'our books differ', actor: 'chimera' });
  });

  it('A20 refuses a person without a reason in one sentence', async () => {
    const controller = await started();
    await expect(controller.halt('  ', ALICE)).rejects.toThrow(SkipError);
    expect(controller.isHalted).toBe(false);
    await controller.raise('bug', 'HALTED', '');
    expect(controller.isHalted).toBe(true);
    await expect(controller.resume('', ALICE)).rejects.toThrow(/^A reason is needed to resume the bot\.$/);
    expect(controller.isHalted).toBe(true);
  });

  it('failures in a row throttle, then halt at the third; a success in between clears the count', async () => {
    const controller = await started();
    await controller.recordFailure('one');
    expect(controller.authorise(of(1n), { ...IDLE, inFlight: 1 })).toMatchObject({ reason: 'throttled' });
    expect(controller.authorise(of(1n), IDLE)).toEqual({ kind: 'authorised' });
    await controller.recordSuccess();
    for (const reason of ['one', 'two', 'three']) await controller.recordFailure(reason);
    expect(controller.status()).toMatchObject({
      state: 'HALTED',
      actor: 'chimera',
      reason: '3 executions failed in a row, the last: three',
    });
    expect(events.named('safety-changed').map(({ from, to }) => `${from} ${to}`)).toEqual([
      'NORMAL THROTTLED',
      'THROTTLED NORMAL',
      'NORMAL THROTTLED',
      'THROTTLED HALTED',
    ]);
    expect((await started()).status().consecutiveFailures).toBe(3);
  });

  it('F08 a repeated throttle from outside is one transition, survives a restart, and is lifted once', async () => {
    const controller = await started();
    for (const reason of ['the nodes lag', 'the nodes lag more'])
      await controller.raise('chain', 'THROTTLED', reason);
    expect(controller.authorise(of(1n), { ...IDLE, inFlight: 1 })).toMatchObject({ reason: 'throttled' });
    const restarted = await started();
    expect(restarted.status()).toMatchObject({ state: 'THROTTLED', reason: 'the nodes lag' });
    for (const reason of ['fresh heads', 'still fresh']) await restarted.clear('chain', reason);
    expect(restarted.status()).toMatchObject({ state: 'NORMAL', reason: 'fresh heads' });
    await restarted.halt('drill', ALICE);
    await restarted.raise('chain', 'THROTTLED', 'the nodes lag');
    await restarted.clear('chain', 'fresh heads');
    expect(restarted.status()).toMatchObject({ state: 'HALTED', reason: 'drill' });
    expect(await transitionsSaved()).toEqual([
      'NORMAL THROTTLED chimera',
      'THROTTLED NORMAL chimera',
      'NORMAL HALTED alice',
    ]);
  });

  it('F28 a halt counts at once while the database is away, and is saved when it is back', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const controller = await started();
    const save = vi.spyOn(repository, 'save').mockRejectedValue(AWAY);
    const halting = controller.halt('disk smells', ALICE);
    expect(controller.isHalted).toBe(true); // before any answer of the database
    await halting;
    expect((await repository.load()).status.state).toBe('NORMAL');
    expect(events.named('safety-not-saved')).toEqual([{ event: 'safety-not-saved', message: AWAY.message }]);

    save.mockRestore();
    await vi.advanceTimersByTimeAsync(300);
    vi.useRealTimers();
    await vi.waitFor(async () => expect((await repository.load()).status.state).toBe('HALTED'));
    expect(await repository.actions(5)).toHaveLength(1);
  });

  it('F28 a resume that cannot be saved does not take effect', async () => {
    const controller = await started();
    await controller.halt('drill', ALICE);
    vi.spyOn(repository, 'save').mockRejectedValueOnce(AWAY);
    await expect(controller.resume('over', ALICE)).rejects.toBe(AWAY);
    expect(controller.isHalted).toBe(true);
    await controller.resume('over', ALICE);
    expect(controller.isHalted).toBe(false);
  });

  it('F28 a resume first saves the changes that were not saved, and then takes effect', async () => {
    const controller = await started();
    vi.spyOn(repository, 'save').mockRejectedValueOnce(AWAY);
    await controller.halt('drill', ALICE);
    await controller.resume('over', ALICE);
    expect(controller.isHalted).toBe(false);
    expect(await transitionsSaved()).toEqual(['NORMAL HALTED alice', 'HALTED NORMAL alice']);
    expect((await started()).isHalted).toBe(false);
  });

  it('saves at shut-down the changes that were not saved before', async () => {
    const controller = await started();
    vi.spyOn(repository, 'save').mockRejectedValueOnce(AWAY);
    await controller.halt('drill', ALICE);
    await controller.beforeApplicationShutdown();
    expect((await started()).isHalted).toBe(true);
  });

  it.each([
    ['a first halt', false],
    ['a halt of the HALTED bot', true],
  ])('A13 %s during a resume wins, in memory and in the database', async (_, haltedBefore) => {
    const controller = await started();
    if (haltedBefore) await controller.raise('bug', 'HALTED', 'first');
    const before = events.named('safety-changed').length;
    const resuming = controller.resume('all is well', ALICE);
    await Promise.resolve();
    const halting = controller.raise('bug', 'HALTED', 'it is not');
    expect(controller.isHalted).toBe(true);
    await expect(resuming).rejects.toBeInstanceOf(StateConflict);
    await halting;
    expect(controller.isHalted).toBe(true);
    expect(
      events
        .named('safety-changed')
        .slice(before)
        .map(({ to }) => to),
    ).toEqual(haltedBefore ? [] : ['HALTED']);
    expect((await repository.load()).status.state).toBe('HALTED');
  });

  it('A13 concurrent halts and resumes end in the state of the last one', async () => {
    const controller = await started();
    const changes = Array.from({ length: 10 }, (_, index) =>
      index % 2 === 0 ? controller.halt(`halt ${index}`, ALICE) : controller.resume(`resume ${index}`, ALICE),
    );
    await Promise.all(changes);
    expect((await repository.load()).status).toEqual(controller.status());
    expect(await repository.actions(20)).toHaveLength(10);
  });

  it('takes over the state that another process saved: its halt stays, our failure is added, our outdated resume is refused', async () => {
    const [ours, theirs] = [await started(), await started()];
    await theirs.halt('from another process', ALICE);
    await ours.recordFailure('reverted');
    expect(ours.status()).toMatchObject({
      state: 'HALTED',
      reason: 'from another process',
      consecutiveFailures: 1,
    });
    await expect(theirs.resume('over', ALICE)).rejects.toBeInstanceOf(RetryError);
    expect(theirs.isHalted).toBe(true);
    await theirs.resume('over', ALICE);
    expect((await started()).isHalted).toBe(false);
  });

  it.each([
    ['at the next look', (controller: SafetyController) => controller.refresh()],
    ['at the next change', (controller: SafetyController) => controller.recordFailure('reverted')],
  ])('a database that was set back to a backup halts %s, also the next process', async (_, notice) => {
    const controller = await started();
    await controller.halt('a drill', ALICE);
    await controller.resume('it is over', ALICE);
    await dataSource.query('CREATE TABLE backup AS SELECT * FROM safety_state WHERE chain_id = 31337');
    await controller.raise('signer', 'HALTED', 'someone else uses its key');
    const { version } = await repository.load();
    await dataSource.query(
      `UPDATE safety_state AS now SET (state, concerns, version) = (SELECT state, concerns, version FROM backup)
       WHERE chain_id = 31337`,
    );
    await notice(controller);
    const reason = new RegExp(
      `^the database went back: it holds version ${version - 1} .* version ${version};`,
    );
    expect(controller.status()).toMatchObject({ state: 'HALTED', cause: 'database' });
    expect(controller.status().reason).toMatch(reason);
    await vi.waitFor(() => expect(controller.unsavedCount).toBe(0));
    expect((await started()).status()).toMatchObject({ state: 'HALTED', cause: 'database' });

    await controller.resume('compared with the chain', ALICE);
    await controller.refresh();
    expect((await started()).status().state).toBe('NORMAL');
  });

  it('counts the volume of the UTC day: reads it at the start, books, releases, begins anew at midnight', async () => {
    await dataSource.query(`INSERT INTO daily_volume VALUES ('2026-01-31', 300, 31337)`);
    const controller = await started();
    expect(controller.headroomUsd8()).toBe(500n * USD);
    controller.volume.booked('2026-01-31', 400n * USD);
    expect(controller.volume.todayUsd8).toBe(700n * USD);
    expect(controller.headroomUsd8()).toBe(300n * USD);
    expect(controller.authorise(of(301n * USD), IDLE)).toMatchObject({ reason: 'daily-volume-reached' });
    controller.volume.released('2026-01-31', 100n * USD);
    expect(controller.authorise(of(400n * USD), IDLE)).toEqual({ kind: 'authorised' });

    clock.advance(Date.UTC(2026, 1, 1) - NOON);
    expect(controller.volume.todayUsd8).toBe(0n);
    controller.volume.booked(controller.volume.today, 50n * USD);
    controller.volume.booked('2026-01-31', 70n * USD); // the answer came after midnight
    controller.volume.released('2026-01-31', 100n * USD);
    expect(controller.volume.todayUsd8).toBe(50n * USD);
    clock.advance(NOON - Date.UTC(2026, 1, 1)); // the clock is put right
    expect(controller.volume.todayUsd8).toBe(570n * USD);
  });

  it('a clock that is a day ahead at the start, and is put right later: the volume of the true day counts', async () => {
    await dataSource.query(`INSERT INTO daily_volume VALUES ('2026-01-31', 300, 31337)`);
    clock.advance(86_400_000);
    const controller = await started();
    expect(controller.volume.todayUsd8).toBe(0n);
    clock.advance(-86_400_000);
    expect(controller.volume.todayUsd8).toBe(300n * USD);
    expect(controller.headroomUsd8()).toBe(500n * USD);
  });

  it('applies the limits of the configuration', async () => {
    const controller = await started();
    expect(controller.authorise(of(501n * USD), IDLE)).toMatchObject({ reason: 'notional-above-limit' });
    expect(controller.authorise(of(1n), { ...IDLE, operatorBalanceWei: 1n })).toMatchObject({
      reason: 'operator-balance-low',
    });
  });

  describe('F26 beside another process', () => {
    const causesOf = (controller: SafetyController): string[] =>
      controller.status().concerns.map(({ cause }) => cause);

    it('what watches found while it stood by ends when it takes over from the other one; the rest is saved', async () => {
      const [leader, standby] = [await started(), await started()];
      standby.standBy(true, true);
      await standby.raise('database', 'HALTED', 'the database has been away for 300 s');
      await standby.raise('passes', 'HALTED', '10 passes failed in a row');
      await standby.raise('books', 'HALTED', 'many positions differ from the chain');
      expect(causesOf(standby)).toEqual(['database', 'passes', 'books']);
      await leader.raise('accuracy', 'THROTTLED', 'the leader lived through this');

      standby.standBy(false, true);
      expect(causesOf(standby)).toEqual(['books']);
      await eventually(() => standby.unsavedCount === 0, 'the rest to be saved');
      expect(causesOf(await started())).toEqual(['accuracy', 'books']);
    });

    it('a leader whose lease ran out with the database keeps the halt that it found meanwhile', async () => {
      const leader = await started();
      leader.standBy(true, false);
      await leader.raise('database', 'HALTED', 'the database has been away for 300 s');
      leader.standBy(false, false);
      await eventually(() => leader.unsavedCount === 0, 'the halt to be saved');
      expect((await started()).status()).toMatchObject({ state: 'HALTED', cause: 'database' });
    });
  });
});
