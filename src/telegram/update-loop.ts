import type { Update } from 'grammy/types';
import {
  refusal,
  refusedWith,
  type GrammySignal,
  type TelegramClient,
} from '../alerts/channels/telegram-client.js';
import type { Clock } from '../domain/clock.js';
import type { Events } from '../domain/events/events.js';

/** Telegram holds a question for so long when there is nothing to tell. */
const HELD_SECONDS = 25;
/** So much later an answer is not expected any more. */
const DEADLINE_MS = 10_000;
/** So often it is looked whether this process may listen. */
const LOOK_MS = 500;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** What needs a person is tried again after this time. */
const PERSON_PAUSE_MS = 30_000;
const MOST_AT_ONCE = 100;
/** Telegram keeps messages for a day. A stranger may have sent many. */
const MOST_DROPPED_ROUNDS = 100;

const REASONS: Readonly<Record<number, string>> = {
  401: 'the token of the Telegram bot is not valid',
  404: 'the token of the Telegram bot is not valid',
  409: 'another process, or a webhook, takes the messages of this Telegram bot',
};

export interface LoopParts {
  readonly client: TelegramClient;
  readonly clock: Clock;
  readonly events: Events;
  /** Only one process takes the messages of a Telegram bot. */
  readonly mayListen: () => boolean;
  /** Must not throw. @param bot the name of the Telegram bot */
  readonly hear: (update: Update, bot: string) => Promise<void>;
  /** What had waited before this process began to listen: it is not carried out. */
  readonly drop: (updates: readonly Update[], bot: string) => void;
}

/**
 * Takes the updates of a Telegram bot by long polling, while this process may. What waited before it began is
 * dropped: an order of yesterday must not act today. When Telegram is away it asks again after a pause, and
 * takes what came meanwhile.
 */
export class UpdateLoop {
  private bot = '';
  /** undefined: it has not begun to listen. */
  private offset: number | undefined;
  /** What has waited, as far as it is known. */
  private waited: readonly Update[] = [];
  private problem: string | undefined;
  private pauseMs = FIRST_PAUSE_MS;
  private isStopped = false;
  private asking: AbortController | undefined;
  private wake: (() => void) | undefined;
  private running: Promise<void> | undefined;

  constructor(private readonly parts: LoopParts) {}

  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.asking?.abort();
    this.wake?.();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.isStopped)
      if (this.parts.mayListen()) await this.round();
      else {
        this.offset = undefined;
        await this.pause(LOOK_MS);
      }
  }

  private async round(): Promise<void> {
    const controller = new AbortController();
    try {
      if (this.offset === undefined) await this.begin(controller);
      // After a loss it is told at once that Telegram is back.
      const updates = await this.ask(this.problem === undefined ? HELD_SECONDS : 0, controller, this.offset);
      this.pauseMs = FIRST_PAUSE_MS;
      if (this.problem !== undefined) this.listening(0);
      for (const update of updates) {
        this.offset = update.update_id + 1;
        await this.parts.hear(update, this.bot);
      }
    } catch (error) {
      if (!this.isStopped && this.parts.mayListen()) await this.failed(error, controller.signal);
    }
  }

  /** Learns the name of the bot, and drops what waits. */
  private async begin(controller: AbortController): Promise<void> {
    const { username } = await this.within(controller, (signal) => this.parts.client.api.getMe(signal));
    this.bot = username;
    let offset = this.nextOf(this.waited);
    for (let rounds = 0; rounds < MOST_DROPPED_ROUNDS; rounds++) {
      const more = await this.ask(0, controller, offset);
      if (more.length === 0) break;
      // Telegram tells them once. When the next question fails, the next beginning knows of them.
      this.waited = [...this.waited, ...more];
      offset = this.nextOf(more);
    }
    this.offset = offset ?? 0;
    const dropped = this.waited;
    this.waited = [];
    this.listening(dropped.length);
    this.parts.drop(dropped, this.bot);
  }

  private nextOf(updates: readonly Update[]): number | undefined {
    const last = updates.at(-1);
    return last && last.update_id + 1;
  }

  private listening(dropped: number): void {
    this.problem = undefined;
    this.parts.events.emit({ event: 'telegram-listening', bot: this.bot, dropped });
  }

  private ask(seconds: number, controller: AbortController, offset: number | undefined): Promise<Update[]> {
    return this.within(
      controller,
      (signal) =>
        this.parts.client.api.getUpdates(
          {
            ...(offset !== undefined && { offset }),
            ...{ limit: MOST_AT_ONCE, timeout: seconds, allowed_updates: ['message', 'callback_query'] },
          },
          signal,
        ),
      seconds * 1_000,
    );
  }

  /** Ends the question at its deadline, and when this process may not listen any more. */
  private async within<T>(
    controller: AbortController,
    question: (signal: GrammySignal) => Promise<T>,
    heldMs = 0,
  ): Promise<T> {
    const { clock, mayListen } = this.parts;
    this.asking = controller;
    if (this.isStopped) controller.abort();
    const cancel = clock.after(heldMs + DEADLINE_MS, () => controller.abort());
    const looking = setInterval(() => mayListen() || controller.abort(), LOOK_MS).unref();
    try {
      return await question(controller.signal as GrammySignal);
    } finally {
      cancel();
      clearInterval(looking);
      this.asking = undefined;
    }
  }

  private async failed(error: unknown, signal: AbortSignal): Promise<void> {
    const code = refusedWith(error);
    const { message, retryAfterMs } = refusal(error, signal);
    const known = code === undefined ? undefined : REASONS[code];
    const reason = known === undefined ? message : `it answered ${code}: ${known}`;
    const pauseMs = retryAfterMs ?? (known === undefined ? this.pauseMs : PERSON_PAUSE_MS);
    this.pauseMs = Math.min(2 * this.pauseMs, LONGEST_PAUSE_MS);
    if (reason !== this.problem)
      this.parts.events.emit({ event: 'telegram-lost', reason, retryInMs: pauseMs });
    this.problem = reason;
    await this.pause(pauseMs);
  }

  private async pause(ms: number): Promise<void> {
    if (this.isStopped) return;
    await new Promise<void>((resolve) => {
      const cancel = this.parts.clock.after(ms, resolve);
      this.wake = () => {
        cancel();
        resolve();
      };
    });
    this.wake = undefined;
  }
}
