import { refusal, type GrammySignal, type TelegramClient } from '../alerts/channels/telegram-client.js';
import type { Clock } from '../domain/clock.js';
import type { Events } from '../domain/events/events.js';
import { confirmButton } from './update.js';

const DEADLINE_MS = 10_000;
const MOST_TRIES = 4;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/** Answers on their way. An order never waits for one: the next one may be a halt. */
export class Replies {
  private readonly waiting = new Set<Promise<void>>();

  constructor(
    private readonly client: TelegramClient,
    private readonly clock: Clock,
    private readonly events: Events,
  ) {}

  /** @param code of the button that confirms; undefined: without one */
  send(chat: string, text: string, code?: string): void {
    const other = {
      link_preview_options: { is_disabled: true },
      ...(code !== undefined && { reply_markup: confirmButton('Resume', code) }),
    };
    // The text is plain, so that no character of it means anything.
    this.track(this.deliver(chat, (signal) => this.client.api.sendMessage(chat, text, other, signal)));
  }

  /** The button stops turning. Whether that arrives does not matter. */
  pressed(id: string): void {
    this.track(
      this.within((signal) => this.client.api.answerCallbackQuery(id, {}, signal)).then(
        () => undefined,
        () => undefined,
      ),
    );
  }

  async sent(): Promise<void> {
    await Promise.all(this.waiting);
  }

  private async deliver(chat: string, send: (signal: GrammySignal) => Promise<unknown>): Promise<void> {
    for (let tries = 1; ; tries++) {
      const controller = new AbortController();
      try {
        await this.within(send, controller);
        return;
      } catch (error) {
        const { message: reason, isFinal, retryAfterMs } = refusal(error, controller.signal);
        const pauseMs = retryAfterMs ?? FIRST_PAUSE_MS * 2 ** (tries - 1);
        if (isFinal || tries >= MOST_TRIES || pauseMs > LONGEST_PAUSE_MS) {
          this.events.emit({ event: 'telegram-answer-lost', chat, reason });
          return;
        }
        await new Promise<void>((resolve) => this.clock.after(pauseMs, resolve));
      }
    }
  }

  private async within(
    ask: (signal: GrammySignal) => Promise<unknown>,
    controller = new AbortController(),
  ): Promise<void> {
    const cancel = this.clock.after(DEADLINE_MS, () => controller.abort());
    try {
      await ask(controller.signal as GrammySignal);
    } finally {
      cancel();
    }
  }

  private track(work: Promise<void>): void {
    this.waiting.add(work);
    void work.finally(() => this.waiting.delete(work));
  }
}
