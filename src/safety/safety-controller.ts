import { randomUUID } from 'node:crypto';
import { Injectable, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { SafetyRepository, type NewOperatorAction, type StoredSafety } from '../database/index.js';
import { Clock } from '../domain/clock.js';
import type { Rejection } from '../domain/decision.js';
import { HaltError, messageOf } from '../domain/errors.js';
import type { Events } from '../domain/events/events.js';
import {
  authorise,
  notionalHeadroomUsd8,
  type SafetyIntent,
  type SafetyLimits,
  type SafetyUsage,
} from '../domain/authorisation.js';
import { verdictsOf, type ExecutionRates, type RateLimits } from '../domain/execution-rates.js';
import {
  INITIAL_SAFETY,
  isFoundAgain,
  nextSafety,
  type Cause,
  type Level,
  type Numbers,
  type SafetyEvent,
  type SafetyStatus,
} from '../domain/safety.js';
import { SerialQueue } from '../domain/serial-queue.js';
import { DailyVolume } from './daily-volume.js';
import { raiseForOthers } from './earlier-changes.js';
import { isOvertaken, supersedes, type Change, type SafetyJournal } from './safety-journal.js';
import { Steering } from './steering.js';
import { reasonOf, StateConflict, type Operator } from './operator.js';
import { safetyNews } from './safety-news.js';
import { ThrottleShare } from './throttle-share.js';

const CHIMERA = 'chimera';

/** The first and the longest pause before a failed write is tried again. Milliseconds. */
const RETRY_MS = 250;
const LONGEST_RETRY_MS = 5_000;

/**
 * Runs the safety state machine, and keeps its state. The state in force is the
 * last saved state with the unsaved changes applied to it. So a halt counts from its call on, even without
 * the database, and it wins over a resume that is being saved. A resume counts only after it is saved.
 */
@Injectable()
export class SafetyController implements OnModuleInit, BeforeApplicationShutdown {
  private saved: StoredSafety;
  private current: SafetyStatus;
  private unsaved: readonly Change[] = [];
  private loaded = false;
  readonly volume: DailyVolume;
  /** What operators have set. */
  readonly steering: Steering;
  /** Changes of the saved state, one at a time. */
  private readonly writes = new SerialQueue();
  private resuming = 0;
  /** Another process signs: what this one finds by itself holds only here, and is not saved. */
  private standsBy = false;
  /** What watches found while this process stood by, and find again while it lasts. */
  private readonly passing = new WeakSet<Change>();
  private retry: NodeJS.Timeout | undefined;
  private retryMs = RETRY_MS;
  private readonly share: ThrottleShare;

  /** @param journal left out in tools: then what is not saved is lost with the process. */
  constructor(
    private readonly repository: SafetyRepository,
    limits: SafetyLimits & RateLimits,
    private readonly events: Events,
    private readonly clock = new Clock(),
    private readonly journal?: SafetyJournal,
  ) {
    const reason = 'the safety state has not been read from the database yet';
    const fresh: SafetyStatus = { ...INITIAL_SAFETY, sinceMs: clock.wallMs() };
    const unread: SafetyEvent = { kind: 'raise', cause: 'database', level: 'HALTED', reason, actor: CHIMERA };
    const status = nextSafety(fresh, unread, limits, fresh.sinceMs);
    this.volume = new DailyVolume(repository, clock);
    this.steering = new Steering(repository, limits, clock);
    this.share = new ThrottleShare(limits.throttledSkipBps, clock);
    this.saved = { status, version: 0 };
    this.current = status;
  }

  /**
   * Reads the saved state, and what an earlier process could not save. Until then the state is HALTED.
   *
   * @throws RetryError when the database is away; HaltError when the journal cannot be used.
   */
  async onModuleInit(): Promise<void> {
    await this.volume.reload();
    await this.steering.reload();
    const kept = (await this.journal?.open()) ?? [];
    await raiseForOthers(kept, this.repository, this.limits);
    this.saved = await this.repository.load();
    this.unsaved = [...kept, ...this.unsaved];
    this.drop(kept.filter((change) => isOvertaken(change, this.saved.status)));
    this.derive();
    this.loaded = true;
    if (this.toSave.length > 0) await this.save();
  }

  /** Changes that the database does not have yet. */
  get unsavedCount(): number {
    return this.toSave.length;
  }

  /** Tries once more to save the unsaved changes. The next hook closes the connections of the database. */
  async beforeApplicationShutdown(): Promise<void> {
    if (this.toSave.length > 0) await this.save();
    clearTimeout(this.retry);
    await this.journal?.close();
  }

  /**
   * Another process signs with the wallet, or this one does again. What a stand-by finds wrong by itself, for
   * example a node that is late, must not stop the leader: it holds in this process alone. When the process
   * takes over, the state is saved like any other change.
   *
   * @param followsAnother another process led meanwhile, and what it saved tells what happened. Of what this
   *   one found while it stood by, only what no watch would find again is kept then.
   */
  standBy(standsBy: boolean, followsAnother: boolean): void {
    const takesOver = this.standsBy && !standsBy;
    this.standsBy = standsBy;
    if (!takesOver) return;
    if (followsAnother) {
      this.drop(this.unsaved.filter((change) => this.passing.has(change)));
      this.derive();
    }
    if (this.toSave.length > 0) void this.save();
  }

  /** Takes over what other processes have saved: a halt of an operator counts for all. Never throws. */
  async refresh(): Promise<void> {
    await this.writes
      .run(async () => {
        const stored = await this.repository.load();
        this.takeBase(stored);
        this.derive();
        await this.steering.reload();
      })
      .catch(() => undefined); // The next one makes up for it, and so does each save.
  }

  /** Those in force. */
  private get limits(): SafetyLimits & RateLimits {
    return this.steering.limits;
  }

  status(): SafetyStatus {
    return this.current;
  }

  get isHalted(): boolean {
    return this.current.state === 'HALTED';
  }

  /**
   * Whether this intent may be signed now. It books nothing: the caller must not let another intent pass
   * between this answer and {@link DailyVolume.booked}.
   *
   * @param aheadUsd8 what plans that are signed before it will book.
   */
  authorise(
    intent: SafetyIntent,
    usage: Omit<SafetyUsage, 'dailyVolumeUsd8'>,
    aheadUsd8 = 0n,
  ): { readonly kind: 'authorised' } | Rejection {
    const dailyVolumeUsd8 = this.volume.todayUsd8 + aheadUsd8;
    const refusal = this.steering.refusalOf(intent);
    if (refusal && !this.isHalted) return refusal;
    return authorise(intent, this.current.state, { ...usage, dailyVolumeUsd8 }, this.limits, () =>
      this.share.leavesAlone(intent),
    );
  }

  /** The most that one execution may cover now: USD with 8 decimals. */
  headroomUsd8(): bigint {
    return notionalHeadroomUsd8(this.volume.todayUsd8, this.limits);
  }

  /** A receipt proved a liquidation. */
  async recordSuccess(): Promise<void> {
    await this.change({ kind: 'execution-succeeded' });
  }

  /** A receipt, or a refusal by every node, proved a failure. */
  async recordFailure(reason: string): Promise<void> {
    await this.change({ kind: 'execution-failed', reason });
  }

  /**
   * A reorg took back an outcome.
   *
   * @param failures by how much the outcome had changed the count of failures: +1 for a failure; for a
   *   success, minus the count before it.
   */
  async takeBackOutcome(failures: number): Promise<void> {
    await this.change({ kind: 'outcome-taken-back', failures });
  }

  /**
   * Something is wrong: THROTTLED or HALTED from this call on. A repeated call changes nothing. While the
   * database is away, it holds in memory. It is saved as soon as the database is back.
   *
   * @param numbers what was measured, by name.
   */
  async raise(cause: Cause, level: Level, reason: string, numbers?: Numbers): Promise<void> {
    await this.change({ kind: 'raise', cause, level, reason, actor: CHIMERA, numbers });
  }

  /**
   * It is well again: a throttle of this cause ends. What else is wrong stays.
   *
   * @param endsHalt it was well for so long that a halt may end too, where its cause allows it.
   */
  async clear(cause: Cause, reason: string, { endsHalt = false } = {}): Promise<void> {
    await this.change({ kind: 'clear', cause, reason, endsHalt });
  }

  /** The rates of the last executions, after one of them has ended or was taken back. */
  async rated(rates: ExecutionRates): Promise<void> {
    for (const { cause, level, reason, numbers } of verdictsOf(rates, this.limits))
      await (level
        ? this.raise(cause, level, reason, numbers)
        : this.clear(cause, 'the rate of the last executions is well again'));
  }

  /**
   * A person stops all signing from this call on.
   *
   * @throws SkipError without a reason.
   */
  async halt(reason: string, operator: Operator): Promise<SafetyStatus> {
    const text = reasonOf('halt', reason);
    const action = this.actionOf('halt', text, operator);
    const { name: actor } = operator;
    await this.change({ kind: 'raise', cause: 'operator', level: 'HALTED', reason: text, actor }, action);
    return this.current;
  }

  /**
   * Leaves HALTED or THROTTLED after the change is saved. When a halt comes in the meantime, the bot stays
   * HALTED.
   *
   * @throws SkipError without a reason; StateConflict when another change came in between;
   *   RetryError when it is not known whether the change was saved: then the old state stays in force.
   */
  async resume(reason: string, operator: Operator): Promise<SafetyStatus> {
    const text = reasonOf('resume', reason);
    const action = this.actionOf('resume', text, operator);
    const event: SafetyEvent = { kind: 'resume', reason: text, actor: operator.name };
    // What a stand-by has found by itself until now ends with the resume.
    const ended = this.standsBy ? this.unsaved.filter((change) => !change.action) : [];
    this.resuming += 1;
    await this.writes
      .run(async () => {
        await this.saveAll();
        this.drop(ended);
        const saved = await this.saveOne({ id: randomUUID(), event, atMs: this.clock.wallMs(), action });
        this.derive();
        if (!saved)
          throw new StateConflict(
            'The safety state was changed by someone else: look at it, then try again.',
          );
        if (this.isHalted)
          throw new StateConflict(
            'A halt came at the same time, so the bot stays HALTED: look at its reason.',
          );
      })
      .finally(() => {
        this.resuming -= 1;
      });
    return this.current;
  }

  /** Applies a change at once, then saves it. A save that fails is tried again later and does not throw. */
  private async change(event: SafetyEvent, action?: NewOperatorAction): Promise<void> {
    const atMs = this.clock.wallMs();
    const next = nextSafety(this.current, event, this.limits, atMs);
    const { concerns, consecutiveFailures } = this.current;
    const changesNothing = next.concerns === concerns && next.consecutiveFailures === consecutiveFailures;
    // While a resume is being saved, a halt of a HALTED bot is kept too: the bot must stay HALTED after the
    // resume.
    if (changesNothing && !action && this.resuming === 0) return;
    if (this.standsBy) this.drop(this.unsaved.filter((one) => supersedes(event, one)));
    const change: Change = { id: randomUUID(), event, atMs, ...(action && { action }) };
    if (this.standsBy && !action && 'cause' in event && isFoundAgain(event.cause)) this.passing.add(change);
    this.unsaved = [...this.unsaved, change];
    this.derive();
    if (this.loaded && this.toSave.length > 0) await this.save();
  }

  /** They are not to be saved any more. A record that stays on the disk comes again: that is safe. */
  private drop(changes: readonly Change[]): void {
    this.unsaved = this.unsaved.filter((one) => !changes.includes(one));
    for (const change of changes) this.journal?.done(change).catch(() => undefined);
  }

  /** When it cannot be saved, it is kept on the local disk before this resolves. Never rejects. */
  private async save(): Promise<void> {
    // While the database is away, nothing waits for it: the journal comes first.
    if (this.retryMs > RETRY_MS) await this.keep();
    try {
      await this.writes.run(() => this.saveAll());
      this.retryMs = RETRY_MS;
    } catch (error) {
      this.events.emit({ event: 'safety-not-saved', message: messageOf(error) });
      await this.keep();
      clearTimeout(this.retry);
      this.retry = setTimeout(() => void this.save(), this.retryMs).unref();
      this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS);
    }
  }

  /** Without it and without the database a halt would end with the process: nothing is signed then. */
  private async keep(): Promise<void> {
    try {
      await this.journal?.keep(() => this.toSave);
    } catch (error) {
      const reason = messageOf(error);
      this.events.emit({ event: 'safety-not-saved', message: reason });
      const { concerns } = this.current;
      const isHalted = concerns.some(({ cause, level }) => cause === 'database' && level === 'HALTED');
      // What may be better in a moment is tried again with the next attempt to save.
      if (isHalted || !(error instanceof HaltError)) return;
      const event = { kind: 'raise', cause: 'database', level: 'HALTED', reason, actor: CHIMERA } as const;
      this.unsaved = [...this.unsaved, { id: randomUUID(), event, atMs: this.clock.wallMs() }];
      this.derive();
    }
  }

  /** While this process stands by, only what a person did. */
  private get toSave(): readonly Change[] {
    return this.standsBy ? this.unsaved.filter(({ action }) => action) : this.unsaved;
  }

  private async saveAll(): Promise<void> {
    for (let [change] = this.toSave; change; [change] = this.toSave) {
      // When another process has changed the state, its state is the new base and our change is applied to
      // it.
      const saved = change;
      if (await this.saveOne(saved)) {
        this.unsaved = this.unsaved.filter((one) => one !== saved);
        await this.journal?.done(saved);
      }
      this.derive();
    }
  }

  /**
   * @returns whether it was saved. When another process has changed the state, nothing is saved and that
   *   state is taken over.
   */
  private async saveOne({ id, event, atMs, action }: Change): Promise<boolean> {
    const { status, version } = this.saved;
    const next = nextSafety(status, event, this.limits, atMs);
    const result = await this.repository.save(next, version, action, id);
    this.takeBase(result.kind === 'saved' ? { status: next, version: result.version } : result.current);
    return result.kind !== 'stale';
  }

  /** Halts when it is older than what was saved: then the database has lost a halt, or what is in flight. */
  private takeBase(stored: StoredSafety): void {
    const { version } = this.saved;
    this.saved = stored;
    if (stored.version >= version) return;
    const reason = `the database went back: it holds version ${stored.version} of the safety state, and this process has saved version ${version}; it is a backup, or a server that lacks the last transactions`;
    const event = { kind: 'raise', cause: 'database', level: 'HALTED', reason, actor: CHIMERA } as const;
    this.unsaved = [...this.unsaved, { id: randomUUID(), event, atMs: this.clock.wallMs() }];
    void this.save();
  }

  /**
   * Computes the state in force: the saved state and the unsaved changes. A change is emitted as an event,
   * but only after the saved state was read.
   */
  private derive(): void {
    const before = this.current;
    this.current = this.unsaved.reduce(
      (status, { event, atMs }) => nextSafety(status, event, this.limits, atMs),
      this.saved.status,
    );
    if (this.loaded) for (const event of safetyNews(before, this.current)) this.events.emit(event);
    if (this.current.state === 'NORMAL') this.share.forget();
  }

  private actionOf(action: 'halt' | 'resume', reason: string, operator: Operator): NewOperatorAction {
    const { name: actor, role, address: remote } = operator;
    return { actor, role, action, reason, at: new Date(this.clock.wallMs()), remote };
  }
}
