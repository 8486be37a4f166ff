import type { Message } from '../../domain/alert.js';
import type { Secret } from '../../domain/secret.js';
import { cut, plainTextOf } from '../message-text.js';
import type { Channel } from './channel.js';
import { LONGEST_TEXT, refusal, TelegramClient, type GrammySignal } from './telegram-client.js';

export interface TelegramOptions {
  readonly name: string;
  readonly apiRoot: string;
  readonly chatId: string;
  readonly token: Secret;
  readonly source: string;
}

/** A chat of Telegram. The text is plain, so that no character of it means anything. */
export class TelegramChannel implements Channel {
  readonly kind = 'telegram';
  readonly name: string;
  private readonly client: TelegramClient;

  constructor(private readonly options: TelegramOptions) {
    this.name = options.name;
    this.client = new TelegramClient(options.apiRoot, options.token);
  }

  async send(message: Message, signal: AbortSignal): Promise<void> {
    const { chatId, source } = this.options;
    const text = cut(plainTextOf(message, source), LONGEST_TEXT);
    const other = {
      link_preview_options: { is_disabled: true },
      disable_notification: message.severity === 'LOW',
    };
    try {
      await this.client.api.sendMessage(chatId, text, other, signal as GrammySignal);
    } catch (error) {
      throw refusal(error, signal);
    }
  }
}
