import { Api, GrammyError, HttpError } from 'grammy';
import type { Secret } from '../../domain/secret.js';
import { DeliveryError, unreachable } from './channel.js';

/** Telegram refuses a longer text. It counts UTF-16 units. */
export const LONGEST_TEXT = 4_096;

/** The Bot API, with the token of today. */
export class TelegramClient {
  private made: { readonly token: string; readonly api: Api } | undefined;

  constructor(
    private readonly apiRoot: string,
    private readonly token: Secret,
  ) {}

  /** A new one when the token was replaced. */
  get api(): Api {
    const token = this.token.reveal();
    if (this.made?.token === token) return this.made.api;
    // A redirect is not followed: the address holds the token.
    const api = new Api(token, { apiRoot: this.apiRoot, baseFetchConfig: { redirect: 'error' } });
    this.made = { token, api };
    return api;
  }
}

/** grammY has a type of its own for the signal. */
export type GrammySignal = Parameters<Api['getMe']>[0];

/** The number with which Telegram refused; undefined when it was not Telegram that failed. */
export function refusedWith(error: unknown): number | undefined {
  return error instanceof GrammyError ? error.error_code : undefined;
}

/** Why it failed, in words of our own: the texts of the library may hold the address, and so the token. */
export function refusal(error: unknown, signal: AbortSignal): DeliveryError {
  if (!(error instanceof GrammyError))
    return unreachable(error instanceof HttpError ? error.error : error, signal);
  const { error_code: code, description, parameters } = error;
  const retryAfterMs = parameters.retry_after === undefined ? undefined : parameters.retry_after * 1000;
  // A chat that is not found, or has blocked the bot, can be put right. A text cannot.
  const isFinal = code === 400 && /message|text|entities/i.test(description) && !/chat/i.test(description);
  return new DeliveryError(`it answered ${code}`, { isFinal, retryAfterMs });
}
