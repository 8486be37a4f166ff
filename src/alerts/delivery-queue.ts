import type { Message } from '../domain/alert.js';
import type { Clock } from '../domain/clock.js';
import type { Events } from '../domain/events/events.js';
import type { SecretScrubber } from '../domain/secret-forms.js';
import type { ActiveAlert, Outgoing } from './alert-book.js';
import { ChannelWorker, type ChannelStatus } from './channel-worker.js';
import type { Channel } from './channels/channel.js';
import type { Journal } from '../journal/journal.js';
import type { Route } from './routes.js';
import type { StoredRecord } from './stored-record.js';

/** Where it is kept. */
export type AlertStore = Pick<Journal<StoredRecord>, 'pending' | 'append' | 'done' | 'close'>;

/** In place of a journal that cannot be opened: alerts go out all the same, and the status says why. */
export class MissingStore implements AlertStore {
  readonly pending = [];

  constructor(private readonly problem: Error) {}

  append(): Promise<never> {
    return Promise.reject(this.problem);
  }

  async done(): Promise<void> {
    // There is nothing to take out.
  }

  async close(): Promise<void> {
    // There is nothing to close.
  }
}

/**
 * What is to be delivered. A message is on its way at once, and on the disk as soon as the disk has it: a
 * disk that is slow, full or broken delays no alert. What was not delivered is delivered by the next process.
 * When the answer of the other side was lost, it gets the message twice, with the same id.
 */
export class DeliveryQueue {
  private readonly workers: ReadonlyMap<string, ChannelWorker>;
  private readonly writes = new Set<Promise<unknown>>();
  private bookId: string | undefined;
  /** The last write to the disk that failed; undefined when the last one succeeded. */
  private problem: string | undefined;

  constructor(
    private readonly routes: readonly Route[],
    channels: readonly Channel[],
    private readonly store: AlertStore,
    private readonly secrets: SecretScrubber,
    clock: Clock,
    events: Events,
  ) {
    this.workers = new Map(
      channels.map((channel) => [channel.name, new ChannelWorker(channel, clock, events)]),
    );
  }

  get status(): readonly ChannelStatus[] {
    return [...this.workers.values()].map(({ status }) => status);
  }

  /** Why what is to be delivered would not survive a crash. */
  get storeProblem(): string | undefined {
    return this.problem;
  }

  /** Takes up what an earlier process left. @returns the alerts that lasted when it ended. */
  restore(): readonly ActiveAlert[] {
    const left = this.store.pending;
    const books = left.filter(({ payload }) => payload.kind === 'book');
    const newest = books.at(-1);
    this.forget(books.filter((one) => one !== newest).map(({ id }) => id));
    this.bookId = newest?.id;
    for (const { id, payload } of left) {
      if (payload.kind === 'book') continue;
      const worker = this.workers.get(payload.channel);
      if (worker) worker.add({ ...payload, ended: () => this.forget([id]) });
      else this.forget([id]);
    }
    return newest?.payload.kind === 'book' ? newest.payload.active : [];
  }

  /** Whether a message with this id is still on its way. */
  holds(messageId: string): boolean {
    return this.store.pending.some(
      ({ payload }) => payload.kind === 'delivery' && payload.message.id === messageId,
    );
  }

  /** Never waits, never throws. */
  send({ message: written, to, notBeforeMs = 0 }: Outgoing): void {
    const message = this.scrubbed(written);
    for (const { name, severities, topics } of this.routes)
      if (topics.includes(message.topic) && severities.some((severity) => to.includes(severity)))
        this.deliver(name, message, notBeforeMs);
  }

  /** Stores which alerts last. */
  keep(active: readonly ActiveAlert[]): void {
    const stored = this.write({ kind: 'book', active });
    this.track(
      stored.then((id) => {
        if (id === undefined) return;
        // Looked at now: another list may have been stored since the call.
        const before = this.bookId;
        this.bookId = id;
        if (before !== undefined) this.forget([before]);
      }),
    );
  }

  /** Resolves when everything that was given to the disk is there, or was refused. */
  async stored(): Promise<void> {
    while (this.writes.size > 0) await Promise.all(this.writes);
  }

  get isIdle(): boolean {
    return [...this.workers.values()].every(({ isIdle }) => isIdle);
  }

  async stop(): Promise<void> {
    for (const worker of this.workers.values()) worker.stop();
    await this.stored();
    await this.store.close();
  }

  /** Reasons come from errors. No message holds a secret, whatever an error says. */
  private scrubbed(message: Message): Message {
    const clean = (text: string): string => this.secrets.scrub(text);
    const { title, text, details = [] } = message;
    return { ...message, title: clean(title), text: clean(text), details: details.map(clean) };
  }

  private deliver(channel: string, message: Message, notBeforeMs: number): void {
    const stored = this.write({ kind: 'delivery', channel, message, notBeforeMs });
    const ended = (): void => this.track(stored.then((id) => this.forget(id === undefined ? [] : [id])));
    this.workers.get(channel)?.add({ message, notBeforeMs, ended });
  }

  private write(record: StoredRecord): Promise<string | undefined> {
    const written = this.store.append(record).then(
      ({ id }) => {
        this.problem = undefined;
        return id;
      },
      (error: unknown) => {
        this.problem = error instanceof Error ? error.message : String(error);
        return undefined;
      },
    );
    this.track(written);
    return written;
  }

  private forget(ids: readonly string[]): void {
    // It may come once more after a crash: better twice than never.
    if (ids.length > 0) this.track(this.store.done(...ids).catch(() => undefined));
  }

  private track(work: Promise<unknown>): void {
    this.writes.add(work);
    void work.finally(() => this.writes.delete(work));
  }
}
