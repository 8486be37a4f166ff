import type { ErrorAnswer } from '../api/error.filter.js';
import type { ApiAddressConfig } from '../config/index.js';
import { messageOf, StartupError } from '../domain/errors.js';

/** The API answers in milliseconds. A halt waits for nothing. */
const PATIENCE_MS = 15_000;
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** The API of the running bot. */
export class BotClient {
  constructor(
    private readonly url: string,
    private readonly key: string,
  ) {}

  /**
   * @param once the Idempotency-Key.
   * @throws StartupError with what to do: no bot, a refused key, a role that is too low.
   */
  async ask<Answer>(method: 'GET' | 'POST', route: string, body?: object, once?: string): Promise<Answer> {
    const response = await this.#fetch(method, route, body, once);
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok && answer !== undefined) return answer as Answer;
    throw new StartupError([this.#problem(response.status, answer)]);
  }

  async #fetch(
    method: 'GET' | 'POST',
    route: string,
    body: object | undefined,
    once: string | undefined,
  ): Promise<Response> {
    try {
      return await fetch(this.url + route, {
        method,
        headers: {
          Authorization: `Bearer ${this.key}`,
          ...(body ? { 'Content-Type': 'application/json' } : {}),
          ...(once === undefined ? {} : { 'Idempotency-Key': once }),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
        // The key goes nowhere else.
        redirect: 'error',
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
    } catch (error) {
      const why = error instanceof Error && error.cause !== undefined ? error.cause : error;
      const code = why instanceof Error && 'code' in why ? String(why.code) : messageOf(why);
      throw new StartupError([`no bot answers at ${this.url} (${code}); is it running, with this api.port?`]);
    }
  }

  #problem(status: number, answer: unknown): string {
    const message = isErrorAnswer(answer) ? answer.message : undefined;
    if (message === undefined) return `${this.url} answered ${status}, and not as the API of a bot does`;
    if (status === 401) return `CHIMERA_API_KEY: the bot at ${this.url} does not know this key: ${message}`;
    if (status === 403) return `CHIMERA_API_KEY: ${message}`;
    return `the bot at ${this.url} answered ${status}: ${message}`;
  }
}

function isErrorAnswer(answer: unknown): answer is ErrorAnswer {
  return (
    typeof answer === 'object' && answer !== null && 'message' in answer && typeof answer.message === 'string'
  );
}

/** @param url as it was given; undefined: that of the configuration */
export async function botUrl(
  url: string | undefined,
  load: () => Promise<ApiAddressConfig>,
): Promise<string> {
  if (url === undefined) return configuredUrl((await load()).api);
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isSafe =
    parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && LOOPBACK.includes(parsed.hostname));
  if (!parsed || !isSafe || parsed.username !== '' || parsed.password !== '')
    throw new StartupError([
      '--url: an https:// URL without a user was expected, because the key is sent there (http:// only to this machine), for example http://127.0.0.1:3000',
    ]);
  return url.replace(/\/+$/, '');
}

function configuredUrl({ host, port }: ApiAddressConfig['api']): string {
  if (port === 0) throw new StartupError(['api.port is 0, any free port: --url was expected']);
  // An API on all addresses is on that of this machine too.
  const known = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${known.includes(':') ? `[${known}]` : known}:${port}`;
}
