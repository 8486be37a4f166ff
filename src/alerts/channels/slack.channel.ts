import type { Message } from '../../domain/alert.js';
import type { Secret } from '../../domain/secret.js';
import { cut, plainTextOf } from '../message-text.js';
import { DeliveryError, type Channel } from './channel.js';
import { postJson } from './post.js';

/** Slack cuts a longer text. */
const LONGEST_TEXT = 40_000;

export interface SlackOptions {
  readonly name: string;
  readonly url: Secret;
  readonly source: string;
}

/** A Slack chat, by an incoming webhook. */
export class SlackChannel implements Channel {
  readonly kind = 'slack';
  readonly name: string;

  constructor(private readonly options: SlackOptions) {
    this.name = options.name;
  }

  async send(message: Message, signal: AbortSignal): Promise<void> {
    const { url, source } = this.options;
    const text = escaped(cut(plainTextOf(message, source), LONGEST_TEXT / 5));
    const { status, body } = await postJson(url.reveal(), JSON.stringify({ text }), signal);
    // What stands between us and Slack answers with a page of its own.
    if (body.trim() !== 'ok') throw new DeliveryError(`it answered ${status}, but not as Slack does`);
  }
}

/** The three characters that Slack reads as more than text; so no name of a token can mention a group. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
