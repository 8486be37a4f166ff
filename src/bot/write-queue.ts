import { randomUUID } from 'node:crypto';
import { Injectable, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import {
  DatabaseAvailability,
  DatabaseAway,
  DatabaseFull,
  QueuedWritesRepository,
  type NewExecution,
  type QueuedWrite,
  type RowToWrite,
} from '../database/index.js';
import { Events } from '../domain/events/events.js';
import { Journals, type Journal } from '../journal/index.js';
import { FailurePolicy } from '../safety/index.js';
import { journalled, readKept, type KeptWrite } from './queued-row.js';

/** So many rows wait in memory. */
const MOST_WAITING = 100;
/** So many are written in one transaction. */
const MOST_AT_ONCE = 25;
/** Until the next attempt, while the database is away, and while it has no room. Milliseconds. */
const RETRY_MS = 1_000;
const RETRY_WHEN_FULL_MS = 5_000;
/** A write that is not made for so long does not come again. */
const FORGOTTEN_AFTER_DAYS = 30;
/** Writes after which what is old is forgotten. */
const FORGET_EVERY = 1_000;

interface Waiting {
  readonly write: QueuedWrite;
  /** The record of the journal that holds it; undefined: it waits in memory only. */
  readonly recordId?: string;
}

/** Where a row is. */
export interface Kept {
  /** The id of the row, or of the write that waits. */
  readonly id: string;
  readonly isWritten: boolean;
}

export interface WriteQueueStatus {
  /** Rows that wait for the database. */
  readonly waiting: number;
  /** Of these, those that are in the journal. */
  readonly inJournal: number;
  /** Rows that were left out since the process started, because too many waited. */
  readonly dropped: number;
}

/**
 * The rows that no pass waits for. They are written beside it, in order, each one once. While the database is
 * away at most 100 wait in memory: then the oldest one that nothing depends on is left out. What a dry run
 * has decided is never left out: it goes to the journal, and is written when the database is back, also by
 * the next process.
 */
@Injectable()
export class WriteQueue implements OnModuleInit, BeforeApplicationShutdown {
  private journal: Journal<object> | undefined;
  private waiting: Waiting[] = [];
  private readonly underWay = new Set<Waiting>();
  private working: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private atOnce = MOST_AT_ONCE;
  private dropped = 0;
  private wasAway = false;
  private written = 0;
  private untilForget = 0;
  private isStopped = false;

  constructor(
    private readonly repository: QueuedWritesRepository,
    private readonly availability: DatabaseAvailability,
    private readonly journals: Journals,
    private readonly policy: FailurePolicy,
    private readonly events: Events,
  ) {}

  /** Takes up what earlier processes could not write. @throws as {@link Journals.open}. */
  async onModuleInit(): Promise<void> {
    const name = `writes-${await this.repository.databaseName()}`;
    this.journal = await this.journals.open(name, (value) => journalled(readKept(value)));
    this.waiting = this.journal.pending.map(({ id, payload }) => ({
      write: readKept(payload),
      recordId: id,
    }));
    this.begin();
  }

  /** Tries once more. What is not written then is in the journal, or is left out. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.working;
    if (this.waiting.length > 0) await this.work();
    clearTimeout(this.timer);
    await this.journal?.close();
  }

  /** Whether the database is away, as far as is known. */
  get isAway(): boolean {
    return this.availability.isAway;
  }

  get status(): WriteQueueStatus {
    const inJournal = this.waiting.filter(({ recordId }) => recordId !== undefined).length;
    return { waiting: this.waiting.length, inJournal, dropped: this.dropped };
  }

  /** Writes rows on which nothing depends, when the database has time for them. */
  add(...rows: readonly RowToWrite[]): void {
    this.waiting.push(...rows.map((row) => ({ write: { ...row, id: randomUUID() } })));
    this.makeRoom();
    this.begin();
  }

  /**
   * Resolves when the rows are in the database; while it is away, when they are on the local disk.
   *
   * @throws HaltError when neither has room.
   */
  async keep(rows: readonly NewExecution[]): Promise<readonly Kept[]> {
    const writes = rows.map((row): KeptWrite => ({ kind: 'execution', row, id: randomUUID() }));
    if (writes.length === 0) return [];
    if (!this.isAway && this.status.inJournal === 0) {
      try {
        const ids = await this.repository.apply(writes);
        return writes.map(({ id }) => ({ id: ids.get(id) ?? id, isWritten: true }));
      } catch (error) {
        if (!(error instanceof DatabaseAway)) throw error;
      }
    }
    const { journal } = this;
    if (!journal) throw new TypeError('the queue has not been started');
    const records = await Promise.all(writes.map((write) => journal.append(journalled(write))));
    this.waiting.push(...writes.map((write, index) => ({ write, recordId: records[index]?.id ?? '' })));
    this.makeRoom();
    this.begin();
    return writes.map(({ id }) => ({ id, isWritten: false }));
  }

  /** Resolves when nothing is being written. Never rejects. */
  async idle(): Promise<void> {
    await this.working;
  }

  private makeRoom(): void {
    while (this.waiting.length > MOST_WAITING) {
      const index = this.waiting.findIndex((one) => one.recordId === undefined && !this.underWay.has(one));
      const [left] = index < 0 ? [] : this.waiting.splice(index, 1);
      if (!left) return;
      this.leftOut(left);
    }
  }

  private leftOut({ write }: Waiting): void {
    this.dropped += 1;
    this.events.emit({ event: 'writes-dropped', kind: write.kind, dropped: this.dropped });
  }

  private begin(): void {
    if (this.working || this.timer || this.isStopped || this.waiting.length === 0) return;
    this.working = this.work().finally(() => {
      this.working = undefined;
    });
  }

  private async work(): Promise<void> {
    for (let batch = this.next(); batch.length > 0; batch = this.next()) {
      try {
        await this.repository.apply(batch.map(({ write }) => write));
      } catch (error) {
        this.underWay.clear();
        if (error instanceof DatabaseAway || error instanceof DatabaseFull) {
          this.wasAway = true;
          // It has room again when somebody made some: until then nothing is signed.
          if (error instanceof DatabaseFull) await this.policy.failed(error);
          this.tryLater(error instanceof DatabaseAway ? RETRY_MS : RETRY_WHEN_FULL_MS);
          return;
        }
        // One of them cannot be written, whatever happens: the others can.
        if (batch.length === 1) {
          await this.policy.failed(error);
          this.waiting = this.waiting.filter((one) => !batch.includes(one));
          for (const one of batch) if (one.recordId === undefined) this.leftOut(one);
        } else this.atOnce = 1;
        continue;
      }
      await this.done(batch);
    }
    if (this.wasAway) this.events.emit({ event: 'writes-caught-up', written: this.written });
    this.wasAway = false;
    this.written = 0;
    this.atOnce = MOST_AT_ONCE;
  }

  private next(): readonly Waiting[] {
    this.underWay.clear();
    const batch = this.waiting.slice(0, this.atOnce);
    for (const one of batch) this.underWay.add(one);
    return batch;
  }

  private async done(batch: readonly Waiting[]): Promise<void> {
    this.waiting = this.waiting.filter((one) => !this.underWay.has(one));
    this.written += batch.length;
    const records = batch.flatMap(({ recordId }) => recordId ?? []);
    try {
      await this.journal?.done(...records);
      this.untilForget -= batch.length;
      if (this.untilForget > 0) return;
      this.untilForget = FORGET_EVERY;
      await this.repository.forget(FORGOTTEN_AFTER_DAYS);
    } catch (error) {
      await this.policy.failed(error);
    }
  }

  private tryLater(ms: number): void {
    if (this.isStopped) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.begin();
    }, ms).unref();
  }
}
