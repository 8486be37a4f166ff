import { Api, GrammyError, HttpError } from 'grammy';
import type { Message } from '../../domain/alert.js';
import type { Secret } from '../../domain/secret.js';
import { cut, plainTextOf } from '../message-text.js';
import { DeliveryError, unreachable, type Channel } from './channel.js';

/** Telegram refuses a longer text. It counts UTF-16 units. */
const LONGEST_TEXT = 4_096;

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
  private api: { readonly token: string; readonly client: Api } | undefined;

  constructor(private readonly options: TelegramOptions) {
    this.name = options.name;
  }

  async send(message: Message, signal: AbortSignal): Promise<void> {
    const { chatId, source } = this.options;
    const text = cut(plainTextOf(message, source), LONGEST_TEXT);
    const other = {
      link_preview_options: { is_disabled: true },
      disable_notification: message.severity === 'LOW',
    };
    try {
      // grammY has a type of its own for the signal.
      await this.client().sendMessage(chatId, text, other, signal as Parameters<Api['sendMessage']>[3]);
    } catch (error) {
      throw refusal(error, signal);
    }
  }

  /** A new one when the token was replaced. */
  private client(): Api {
    const { apiRoot } = this.options;
    const token = this.options.token.reveal();
    if (this.api?.token === token) return this.api.client;
    // A redirect is not followed: the address holds the token.
    const client = new Api(token, { apiRoot, baseFetchConfig: { redirect: 'error' } });
    this.api = { token, client };
    return client;
  }
}

/** The texts of the library may hold the address, and with it the token. */
function refusal(error: unknown, signal: AbortSignal): DeliveryError {
  if (!(error instanceof GrammyError))
    return unreachable(error instanceof HttpError ? error.error : error, signal);
  const { error_code: code, description, parameters } = error;
  const retryAfterMs = parameters.retry_after === undefined ? undefined : parameters.retry_after * 1000;
  // A chat that is not found, or has blocked the bot, can be put right. A text cannot.
  const isFinal = code === 400 && /message|text|entities/i.test(description) && !/chat/i.test(description);
  return new DeliveryError(`it answered ${code}`, { isFinal, retryAfterMs });
}
