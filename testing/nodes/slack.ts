import { objectIn, ReceivingService, type Received, type ServerAnswer } from './receiving-server.js';

/** Incoming webhooks of Slack over HTTPS: they refuse what the real ones refuse, in plain words. */
export class SlackServer extends ReceivingService {
  /** As a reader sees them, in order. */
  readonly texts: string[] = [];
  /** The next so many messages are refused: too many of them. */
  tooMany = 0;
  readonly #path = '/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX';

  static start(): Promise<SlackServer> {
    return new SlackServer().listen();
  }

  /** The secret address of the chat. */
  get url(): string {
    return `${this.server.url}${this.#path}`;
  }

  protected judge({ method, path, body }: Received): ServerAnswer {
    const answer = (status: number, text: string, headers = {}): ServerAnswer => ({
      status,
      body: text,
      headers: { 'content-type': 'text/html', ...headers },
    });
    if (method !== 'POST') return answer(400, 'invalid_payload');
    if (path !== this.#path) return answer(403, 'invalid_token');
    if (this.tooMany > 0) {
      this.tooMany -= 1;
      return answer(429, 'rate_limited', { 'retry-after': '1' });
    }
    const message = objectIn(body);
    if (!message) return answer(400, 'invalid_payload');
    const { text } = message;
    if (typeof text !== 'string' || text === '') return answer(400, 'no_text');
    // The real one cuts a text; a test must notice.
    if (text.length > 40_000) return answer(400, 'msg_too_long');
    this.texts.push(text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'));
    return answer(200, 'ok');
  }
}
