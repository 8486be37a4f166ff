import type { InlineKeyboardMarkup, Update } from 'grammy/types';
import type { Sender } from './confirmations.js';

/** What a person wants, as far as an update of Telegram tells it. */
export interface Order extends Sender {
  /** In lower case, without the slash. */
  readonly name: string;
  /** What stands behind it on the line. */
  readonly words: string;
  /** Of the button that was pressed; undefined for a message. */
  readonly button: string | undefined;
}

const COMMAND = /^\/([a-z]{1,32})(?:@(\w{1,64}))?(?:\s+(.*))?$/is;
const CONFIRM = 'confirm:';

/**
 * The order in an update; undefined when there is none. What was forwarded, what another bot wrote, and what
 * is addressed to another bot is no order.
 *
 * @param bot our name
 */
export function orderIn({ message, callback_query: pressed }: Update, bot: string): Order | undefined {
  if (pressed) {
    const { id, from, message: at, data = '' } = pressed;
    if (!at || from.is_bot || !data.startsWith(CONFIRM)) return undefined;
    const sender = { chat: String(at.chat.id), user: String(from.id) };
    return { ...sender, name: 'confirm', words: data.slice(CONFIRM.length), button: id };
  }
  if (!message || message.from.is_bot || message.forward_origin || message.via_bot) return undefined;
  const [, name, addressee, words = ''] = COMMAND.exec(message.text ?? '') ?? [];
  if (name === undefined) return undefined;
  if (addressee !== undefined && addressee.toLowerCase() !== bot.toLowerCase()) return undefined;
  const sender = { chat: String(message.chat.id), user: String(message.from.id) };
  return { ...sender, name: name.toLowerCase(), words: words.trim(), button: undefined };
}

/** The button that confirms. */
export function confirmButton(text: string, code: string): InlineKeyboardMarkup {
  return { inline_keyboard: [[{ text, callback_data: `${CONFIRM}${code}` }]] };
}
