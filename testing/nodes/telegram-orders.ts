import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { objectIn } from './receiving-server.js';
import { reply, replyWith, type TransportFault } from './transport-fault.js';

type Values = Readonly<Record<string, unknown>>;

/** A message that our side has sent. */
export interface SentText {
  readonly chat: string;
  readonly text: string;
  /** What its button sends when it is pressed; undefined without one. */
  readonly button: string | undefined;
}

/** Who writes, and where. */
export interface Person {
  readonly chat: number;
  readonly user: number;
}

/** A question for updates that Telegram holds until there is one. */
interface Held {
  readonly values: Values;
  readonly response: ServerResponse;
  readonly timer: NodeJS.Timeout;
}

/**
 * The Bot API of Telegram, as far as orders go: `getUpdates` with its offsets and its waiting, messages, and
 * buttons. As the real one, it keeps an update until a later offset confirms it, and ends the earlier of two
 * questions at a time with 409.
 */
export class TelegramOrders {
  /** In order. */
  readonly sent: SentText[] = [];
  /** The ids of buttons that stopped turning. */
  readonly answered: string[] = [];
  /** How many questions for updates have come. */
  polls = 0;
  conflicts = 0;
  /** Of every answer. */
  fault: TransportFault | undefined;
  /** This question for updates is answered with an error. */
  failsAtPoll = 0;
  /** The next so many messages of ours are refused: too many of them. */
  tooMany = 0;
  private readonly server: Server;
  private updates: ({ readonly update_id: number } & Values)[] = [];
  private nextId = 1_000;
  private held: Held | undefined;

  private constructor(readonly token: string) {
    this.server = createServer((request, response) => void this.serve(request, response));
  }

  static async start(token = '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawT'): Promise<TelegramOrders> {
    const orders = new TelegramOrders(token);
    await new Promise<void>((resolve) => orders.server.listen(0, '127.0.0.1', resolve));
    return orders;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Whether a question waits for an update. */
  get isHeld(): boolean {
    return this.held !== undefined;
  }

  /** A person writes. @param more of the message */
  write({ chat, user }: Person, text: string, more: Values = {}): void {
    const from = { id: user, is_bot: false, first_name: 'A person' };
    const at = { id: chat, type: chat < 0 ? 'supergroup' : 'private', title: 'a chat' };
    const date = Math.floor(Date.now() / 1_000);
    this.add({ message: { message_id: this.nextId, date, chat: at, from, text, ...more } });
  }

  /** A person presses a button. */
  press({ chat, user }: Person, data: string): void {
    const from = { id: user, is_bot: false, first_name: 'A person' };
    const message = { message_id: 1, date: 1, chat: { id: chat, type: 'supergroup', title: 'a chat' } };
    this.add({ callback_query: { id: `press-${this.nextId}`, from, message, chat_instance: '1', data } });
  }

  async stop(): Promise<void> {
    clearTimeout(this.held?.timer);
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private add(update: Values): void {
    this.updates.push({ update_id: this.nextId++, ...update });
    const { held } = this;
    if (held) this.release(held);
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const values = objectIn(Buffer.concat(chunks).toString()) ?? {};
    const [, token, method] = /^\/bot([^/]+)\/(\w+)$/.exec(request.url ?? '') ?? [];
    if (method === 'getUpdates') this.polls += 1;
    if (method === 'getUpdates' && this.polls === this.failsAtPoll) refuse(response, 502, 'Bad Gateway');
    else if (this.fault) replyWith(response, this.fault, '{}');
    else if (token !== this.token) refuse(response, 401, 'Unauthorized');
    else if (method === 'getUpdates') this.poll(values, response);
    else this.call(method ?? '', values, response);
  }

  private call(method: string, values: Values, response: ServerResponse): void {
    switch (method) {
      case 'getMe':
        grant(response, { id: 1, is_bot: true, first_name: 'Chimera', username: 'chimera_ops_bot' });
        return;
      case 'answerCallbackQuery':
        this.answered.push(String(values['callback_query_id']));
        grant(response, true);
        return;
      case 'sendMessage':
        this.take(values, response);
        return;
      default:
        refuse(response, 404, 'Not Found');
    }
  }

  private take(values: Values, response: ServerResponse): void {
    const { chat_id: chat, text, parse_mode: mode, reply_markup: markup } = values;
    if (this.tooMany > 0) {
      this.tooMany -= 1;
      refuse(response, 429, 'Too Many Requests: retry after 1', { retry_after: 1 });
    } else if (typeof text !== 'string' || text.trim() === '' || text.length > 4096 || mode !== undefined)
      refuse(response, 400, 'Bad Request: message text is empty, too long, or marked up');
    else {
      const [, button] = /"callback_data":"([^"]{1,64})"/.exec(JSON.stringify(markup ?? '')) ?? [];
      this.sent.push({ chat: String(chat), text, button });
      grant(response, { message_id: this.sent.length, date: 1, chat: { id: 1, type: 'private' }, text });
    }
  }

  private poll(values: Values, response: ServerResponse): void {
    const { held } = this;
    if (held) {
      this.conflicts += 1;
      clearTimeout(held.timer);
      this.held = undefined;
      refuse(held.response, 409, 'Conflict: terminated by other getUpdates request');
    }
    const offset = Number(values['offset'] ?? 0);
    this.updates = this.updates.filter(({ update_id: id }) => id >= offset);
    const seconds = Number(values['timeout'] ?? 0);
    if (this.updates.length > 0 || seconds === 0) {
      grant(response, this.updates.slice(0, Number(values['limit'] ?? 100)));
      return;
    }
    const waiting: Held = {
      values,
      response,
      timer: setTimeout(() => this.release(waiting), seconds * 1_000),
    };
    this.held = waiting;
    response.once('close', () => {
      clearTimeout(waiting.timer);
      if (this.held === waiting) this.held = undefined;
    });
  }

  private release(held: Held): void {
    clearTimeout(held.timer);
    this.held = undefined;
    this.poll({ ...held.values, timeout: 0 }, held.response);
  }
}

function grant(response: ServerResponse, result: unknown): void {
  reply(response, 200, JSON.stringify({ ok: true, result }));
}

function refuse(response: ServerResponse, code: number, description: string, parameters?: object): void {
  const body = { ok: false, error_code: code, description, ...(parameters && { parameters }) };
  reply(response, code, JSON.stringify(body));
}
