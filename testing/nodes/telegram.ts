import {
  jsonAnswer,
  objectIn,
  ReceivingService,
  type Received,
  type ServerAnswer,
} from './receiving-server.js';

/** The Bot API of Telegram over HTTPS, as far as `sendMessage` goes: it refuses what the real one refuses. */
export class TelegramServer extends ReceivingService {
  /** In order. */
  readonly texts: { readonly chat: string; readonly text: string; readonly isSilent: boolean }[] = [];
  /** The next so many messages are refused: too many of them. */
  tooMany = 0;
  readonly chats = new Set(['-1001234567890', '@chimera_ops']);

  private constructor(readonly token: string) {
    super();
  }

  static start(token = '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawT'): Promise<TelegramServer> {
    return new TelegramServer(token).listen();
  }

  protected judge({ path, body }: Received): ServerAnswer {
    const [, token, method] = /^\/bot([^/]+)\/(\w+)$/.exec(path) ?? [];
    if (token === undefined) return refused(404, 'Not Found');
    if (token !== this.token) return refused(401, 'Unauthorized');
    if (method !== 'sendMessage') return refused(404, 'Not Found');
    if (this.tooMany > 0) {
      this.tooMany -= 1;
      return refused(429, 'Too Many Requests: retry after 1', { retry_after: 1 });
    }
    const { chat_id: chat, text, parse_mode: mode, disable_notification: isSilent } = objectIn(body) ?? {};
    if (!this.chats.has(String(chat))) return refused(400, 'Bad Request: chat not found');
    if (typeof text !== 'string' || text.trim() === '')
      return refused(400, 'Bad Request: message text is empty');
    if (text.length > 4096) return refused(400, 'Bad Request: message is too long');
    if (/[\ud800-\udbff](?![\udc00-\udfff])/.test(text))
      return refused(400, 'Bad Request: strings must be encoded in UTF-8');
    if (mode === 'MarkdownV2' && /(?<!\\)[.!()=+>#{}|-]/.test(text))
      return refused(400, "Bad Request: can't parse entities: a character is reserved and must be escaped");
    this.texts.push({ chat: String(chat), text, isSilent: isSilent === true });
    const result = {
      message_id: this.texts.length,
      date: 1_767_225_600,
      chat: { id: 1, type: 'private' },
      text,
    };
    return jsonAnswer(200, { ok: true, result });
  }
}

function refused(
  code: number,
  description: string,
  parameters?: { readonly retry_after: number },
): ServerAnswer {
  return jsonAnswer(code, { ok: false, error_code: code, description, ...(parameters && { parameters }) });
}
