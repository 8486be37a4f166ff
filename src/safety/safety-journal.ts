import { Injectable } from '@nestjs/common';
import { QueuedWritesRepository, type NewOperatorAction } from '../database/index.js';
import { CAUSES, type Cause, type Numbers, type SafetyEvent, type SafetyStatus } from '../domain/safety.js';
import { SerialQueue } from '../domain/serial-queue.js';
import { fieldsOf, numberOf, textOf, Journals, type Fields, type Journal } from '../journal/index.js';

/** A change of the safety state that is to be saved. */
export interface Change {
  /** It is made once, however often it is tried. */
  readonly id: string;
  readonly event: SafetyEvent;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly action?: NewOperatorAction;
  /** Only in the journal. Absent in records of an earlier version, where a change was of every chain. */
  readonly chainId?: number;
}

/**
 * Keeps the changes of the safety state that could not be saved: a halt while the database is away must hold
 * after kill -9 too. A resume is never among them, because it counts only after it is saved.
 */
@Injectable()
export class SafetyJournal {
  private journal: Journal<Change> | undefined;
  /** Of the changes that it holds, the ids of their records. */
  private readonly records = new Map<string, string>();
  /** One step at a time: a change must neither get two records, nor one after it was taken out. */
  private readonly steps = new SerialQueue();

  constructor(
    private readonly journals: Journals,
    private readonly repository: QueuedWritesRepository,
    private readonly chainId: number,
  ) {}

  /**
   * What an earlier process could not save, the oldest first. To be called once, before all others.
   *
   * @throws as {@link Journals.open}; RetryError when the database is away.
   */
  async open(): Promise<readonly Change[]> {
    const ofDatabase = `safety-${await this.repository.databaseName()}`;
    this.journal = await this.journals.open(`${ofDatabase}-${this.chainId}`, readChange, ofDatabase);
    for (const { id, payload } of this.journal.pending) this.records.set(payload.id, id);
    return this.journal.pending.map(({ payload }) => payload);
  }

  /** Changes that the database does not have. */
  get depth(): number {
    return this.journal?.depth ?? 0;
  }

  /**
   * Resolves when the changes that are not saved are on the disk.
   *
   * @param unsaved asked when it is this step's turn: what was saved in the meantime gets no record.
   * @throws HaltError when the disk is full; RetryError
   */
  keep(unsaved: () => readonly Change[]): Promise<void> {
    return this.steps.run(async () => {
      const { journal, chainId } = this;
      if (!journal) return;
      const fresh = unsaved().filter(({ id }) => !this.records.has(id));
      const entries = await Promise.all(fresh.map((change) => journal.append({ ...change, chainId })));
      for (const { id, payload } of entries) this.records.set(payload.id, id);
    });
  }

  /** It is saved. @throws as {@link keep} */
  done({ id }: Change): Promise<void> {
    return this.steps.run(async () => {
      const record = this.records.get(id);
      this.records.delete(id);
      if (record !== undefined) await this.journal?.done(record);
    });
  }

  close(): Promise<void> | undefined {
    return this.journal?.close();
  }
}

/** Of what a stand-by found by itself about one cause, the last counts: their number stays small. */
export function supersedes(event: SafetyEvent, { event: earlier, action }: Change): boolean {
  return !action && causeIn(event) !== undefined && causeIn(event) === causeIn(earlier);
}

/**
 * Whether an end of trouble is older than the trouble that stands: another process has raised it since. The
 * clear of a process that was killed must not end it.
 */
export function isOvertaken({ event, atMs }: Change, { concerns }: SafetyStatus): boolean {
  if (event.kind !== 'clear') return false;
  return concerns.some(({ cause, sinceMs }) => cause === event.cause && sinceMs > atMs);
}

function causeIn(event: SafetyEvent): Cause | undefined {
  return event.kind === 'raise' || event.kind === 'clear' ? event.cause : undefined;
}

/** Reads a change as JSON gives it back. @throws TypeError for anything else. */
export function readChange(value: unknown): Change {
  const { id, event, atMs, action, chainId } = fieldsOf(value);
  const chain = chainId === undefined ? {} : { chainId: numberOf(chainId) };
  const change = { id: textOf(id), event: eventOf(fieldsOf(event)), atMs: numberOf(atMs), ...chain };
  return action === undefined ? change : { ...change, action: actionOf(fieldsOf(action)) };
}

function eventOf({ kind, ...fields }: Fields): SafetyEvent {
  switch (kind) {
    case 'execution-succeeded':
      return { kind };
    case 'execution-failed':
      return { kind, reason: textOf(fields.reason) };
    case 'outcome-taken-back':
      return { kind, failures: numberOf(fields.failures) };
    case 'raise': {
      const level = fields.level === 'THROTTLED' ? 'THROTTLED' : 'HALTED';
      const by = { reason: textOf(fields.reason), actor: textOf(fields.actor) };
      return { kind, cause: causeOf(fields.cause), level, ...by, numbers: numbersOf(fields.numbers) };
    }
    case 'clear': {
      const { reason, endsHalt } = fields;
      return { kind, cause: causeOf(fields.cause), reason: textOf(reason), endsHalt: endsHalt === true };
    }
    default:
      throw new TypeError(`no change of the safety state: ${String(kind)}`);
  }
}

function actionOf({ actor, role, action, reason, at, remote }: Fields): NewOperatorAction {
  const by = { actor: textOf(actor), role: textOf(role), remote: remote === null ? null : textOf(remote) };
  return { ...by, action: textOf(action), reason: textOf(reason), at: new Date(textOf(at)) };
}

function numbersOf(value: unknown): Numbers | undefined {
  if (value === undefined) return undefined;
  const entries = Object.entries(fieldsOf(value)).map(([name, one]): [string, number | string] => [
    name,
    typeof one === 'number' ? one : textOf(one),
  ]);
  return Object.fromEntries(entries);
}

function causeOf(value: unknown): (typeof CAUSES)[number] {
  const cause = CAUSES.find((one) => one === value);
  if (cause === undefined) throw new TypeError(`no cause: ${String(value)}`);
  return cause;
}
