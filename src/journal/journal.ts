import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HaltError, messageOf, RetryError } from '../domain/errors.js';
import type { SecretScrubber } from '../domain/secret-forms.js';
import { diskError, JournalFile, linesOf, syncDirectory } from './journal-file.js';
import { isHeld, OwnerLock } from './owner-lock.js';

/** A payload that is not done yet. */
export interface JournalEntry<Payload> {
  /** Unique, also among processes: use it to do a thing once. */
  readonly id: string;
  /** Milliseconds since the epoch, by the clock of the process that wrote it. */
  readonly atMs: number;
  readonly payload: Payload;
}

export interface JournalOptions<Payload> {
  /** The configuration's `journal.dir`. It is made when it is not there. */
  readonly directory: string;
  /** Lower-case letters, digits and hyphens. */
  readonly name: string;
  /** What an earlier version called it: files of that name are taken over too. */
  readonly formerName?: string | undefined;
  /** Reads what JSON gives back. It throws for anything else than a payload. */
  readonly parse: (value: unknown) => Payload;
  /** What is one of these secrets is written as ***. */
  readonly secrets: SecretScrubber;
}

interface Live<Payload> {
  readonly entry: JournalEntry<Payload>;
  readonly text: string;
}

/** Lines that are written together: records, and marks of those that are done. */
interface Batch<Payload> {
  readonly records: Live<Payload>[];
  readonly marks: string[];
  written?: Promise<void>;
}

/** So many lines of what is done may stand in the file beside those that are not. */
const SPARE_LINES = 64;

/**
 * What must outlive this process, and cannot be in the database yet: a file of records that are on the disk
 * when {@link append} resolves. {@link done} takes one out again. What was not done is there at the next
 * start, also after kill -9.
 *
 * Each process writes a file of its own, `<name>.<owner>.journal`, so that two with the same directory never
 * write to one file, and a stand-by needs no directory of its own. At the start a process takes over the
 * files of those that ended (owner-lock.ts). One that dies while it takes over leaves a record in two files;
 * the ids make it one again.
 */
export class Journal<Payload> {
  private readonly live = new Map<string, Live<Payload>>();
  private readonly file: JournalFile;
  /** What the next write takes along: all that came while the last one ran. */
  private next: Batch<Payload> | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private lines = 0;
  /** A mark could not be written: the file still holds what is done. */
  private lacksMarks = false;
  private isClosed = false;

  private constructor(
    private readonly options: JournalOptions<Payload>,
    private readonly owner: string,
    private readonly lock: OwnerLock,
  ) {
    this.file = new JournalFile(this.pathOf(`${owner}.journal`));
  }

  /**
   * @throws HaltError when the directory cannot be written, or a file in it is damaged; StartupError when its
   *   path is too long.
   */
  static async open<Payload>(options: JournalOptions<Payload>): Promise<Journal<Payload>> {
    const { directory, name } = options;
    if (!/^[a-z0-9-]+$/.test(name)) throw new TypeError(`no name of a journal: ${name}`);
    await mkdir(directory, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
      throw diskError(error, directory);
    });
    const owner = randomBytes(4).toString('hex');
    const lock = await OwnerLock.take(join(directory, `${name}.${owner}.lock`));
    const journal = new Journal(options, owner, lock);
    try {
      await journal.file.rewrite([]);
      await journal.takeOver();
    } catch (error) {
      await journal.close();
      throw error;
    }
    return journal;
  }

  /** What is not done yet, the oldest first. */
  get pending(): readonly JournalEntry<Payload>[] {
    return [...this.live.values()].map(({ entry }) => entry);
  }

  /** How many are not done yet. */
  get depth(): number {
    return this.live.size;
  }

  /**
   * Resolves when the record is on the disk. Records that come at once share one write.
   *
   * @returns the entry as it will be read again: secrets are replaced.
   * @throws HaltError when the disk is full or broken; RetryError when it may be better in a moment. Then it
   *   is not known whether the record is there at the next start.
   */
  async append(payload: Payload): Promise<JournalEntry<Payload>> {
    const text = this.options.secrets.scrub(JSON.stringify({ id: randomUUID(), atMs: Date.now(), payload }));
    const record = this.recordOf(text);
    if (record === undefined) throw new TypeError('a record that reads as something else');
    await this.write(({ records }) => records.push(record));
    return record.entry;
  }

  /**
   * Takes records out. They are out from this call on; after kill -9 they may come again unless it resolved.
   *
   * @throws as {@link append}.
   */
  async done(...ids: readonly string[]): Promise<void> {
    const known = ids.filter((id) => this.live.delete(id));
    if (known.length > 0) await this.write(({ marks }) => marks.push(JSON.stringify({ done: known })));
  }

  /** Ends what is being written. What is not done stays for the next start. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await this.last.catch(() => undefined);
    await this.file.close();
    if (this.live.size === 0) await rm(this.file.path, { force: true }).catch(() => undefined);
    await this.lock.release().catch(() => undefined);
  }

  private write(add: (batch: Batch<Payload>) => unknown): Promise<void> {
    if (this.isClosed) return Promise.reject(new RetryError(`the journal ${this.options.name} is closed`));
    const batch = (this.next ??= { records: [], marks: [] });
    add(batch);
    if (!batch.written) {
      batch.written = this.last.then(() => this.flush(batch));
      this.last = batch.written.catch(() => undefined);
    }
    return batch.written;
  }

  private async flush(batch: Batch<Payload>): Promise<void> {
    this.next = undefined;
    try {
      await this.writeDown(batch);
    } catch (error) {
      this.lacksMarks ||= batch.marks.length > 0;
      throw error;
    }
    for (const record of batch.records) this.live.set(record.entry.id, record);
  }

  private async writeDown({ records, marks }: Batch<Payload>): Promise<void> {
    const kept = [...this.live.values(), ...records].map(({ text }) => text);
    if (kept.length === 0) {
      await this.file.empty();
      this.written(0);
      return;
    }
    const added = records.length + marks.length;
    const isLarge = this.lines + added > 2 * kept.length + SPARE_LINES;
    const isBroken = await this.file.mustBeRewritten();
    if (isBroken || this.lacksMarks || isLarge) {
      try {
        await this.file.rewrite(kept);
        this.written(kept.length);
        return;
      } catch (error) {
        // A file that is only too large can still take a line.
        if (isBroken) throw error;
      }
    }
    await this.file.append([...records.map(({ text }) => text), ...marks]);
    this.lines += added;
  }

  /** The file holds these lines, and nothing that is done. */
  private written(lines: number): void {
    this.lines = lines;
    this.lacksMarks = false;
  }

  /** Copies what is not done in the files of processes that ended, and removes these files. */
  private async takeOver(): Promise<void> {
    const { directory, name, formerName = name } = this.options;
    const files = new RegExp(
      `^(${name}|${formerName})\\.([0-9a-f]{8})(?:\\.from-[0-9a-f]{8})?\\.(journal|lock|journal\\.new)$`,
    );
    const taken: { readonly own: string; readonly old: string }[] = [];
    for (const file of (await this.read(() => readdir(directory))).sort()) {
      const [, named, owner, kind] = files.exec(file) ?? [];
      if (owner === undefined || owner === this.owner) continue;
      if (await isHeld(join(directory, `${named}.${owner}.lock`))) continue;
      const old = join(directory, file);
      if (kind !== 'journal') await rm(old, { force: true });
      else {
        // A file that another process takes at the same moment is gone. That one has its records.
        const origin = /\.from-([0-9a-f]{8})\./.exec(file)?.[1] ?? owner;
        const own = this.pathOf(`${this.owner}.from-${origin}.journal`);
        const isOurs = await rename(old, own).then(
          () => true,
          () => false,
        );
        if (isOurs) taken.push({ own, old });
      }
    }
    if (taken.length === 0) return;
    const found = await Promise.all(
      taken.map(async ({ own, old }) => this.notDone(old, await linesOf(own, old))),
    ).catch(async (error: unknown) => {
      // An operator has to look: a start that is tried again finds them under the same names.
      await Promise.allSettled(taken.map(({ own, old }) => rename(own, old)));
      throw error;
    });
    for (const one of found.flat().sort((a, b) => a.entry.atMs - b.entry.atMs))
      this.live.set(one.entry.id, one);
    await this.file.rewrite([...this.live.values()].map(({ text }) => text));
    this.lines = this.live.size;
    await this.read(async () => {
      for (const { own } of taken) await rm(own);
      await syncDirectory(directory);
    });
  }

  private notDone(path: string, lines: readonly string[]): Live<Payload>[] {
    const live = new Map<string, Live<Payload>>();
    for (const text of lines) {
      try {
        const record = this.recordOf(text);
        if (record) live.set(record.entry.id, record);
        else for (const id of doneIds(text)) live.delete(id);
      } catch (error) {
        throw new HaltError(
          `${path} holds a record that this version cannot read (${messageOf(error)}): start the version that wrote it, or move the file away`,
          'database',
          { cause: error },
        );
      }
    }
    return [...live.values()];
  }

  /** undefined for a line that marks others as done. */
  private recordOf(text: string): Live<Payload> | undefined {
    const value: unknown = JSON.parse(text);
    if (!isObject(value)) throw new TypeError('no record');
    const { id, atMs, payload } = value;
    if (typeof id !== 'string' || typeof atMs !== 'number') return undefined;
    return { entry: { id, atMs, payload: this.options.parse(payload) }, text };
  }

  private pathOf(rest: string): string {
    return join(this.options.directory, `${this.options.name}.${rest}`);
  }

  private async read<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw diskError(error, this.options.directory);
    }
  }
}

function doneIds(text: string): readonly string[] {
  const value: unknown = JSON.parse(text);
  const ids: unknown = isObject(value) ? value.done : undefined;
  if (!Array.isArray(ids)) throw new TypeError('neither a record nor a mark');
  return ids.filter((id) => typeof id === 'string');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
