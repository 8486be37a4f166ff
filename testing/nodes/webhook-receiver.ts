import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  jsonAnswer,
  objectIn,
  ReceivingService,
  type Received,
  type ServerAnswer,
} from './receiving-server.js';

/** An older request is refused, as docs/alerts.md tells an operator to do. Seconds. */
const OLDEST_SECONDS = 300;

/** What a receiver of an operator takes for true. */
export interface TakenMessage {
  readonly id: string;
  readonly status: string;
  readonly topic: string;
  readonly severity: string;
  readonly key: string;
  readonly title: string;
  readonly text: string;
  readonly runbook: string | null;
  readonly details: readonly string[];
}

/** Checks signature, age and repetition of each request, as docs/alerts.md describes it. */
export class WebhookReceiver extends ReceivingService {
  /** In order, each once. */
  readonly messages: TakenMessage[] = [];
  /** How often the same message came again. */
  repeated = 0;
  readonly #ids = new Set<string>();

  private constructor(private readonly secret: string) {
    super();
  }

  static start(secret: string, over: 'http' | 'https' = 'http', port?: number): Promise<WebhookReceiver> {
    return new WebhookReceiver(secret).listen(over, port);
  }

  get url(): string {
    return `${this.server.url}/chimera`;
  }

  protected judge({ method, headers, body }: Received): ServerAnswer {
    const timestamp = String(headers['x-chimera-timestamp']);
    const given = Buffer.from(String(headers['x-chimera-signature']));
    const right = Buffer.from(
      `v1=${createHmac('sha256', this.secret).update(`${timestamp}.${body}`).digest('hex')}`,
    );
    if (method !== 'POST' || headers['content-type'] !== 'application/json') return jsonAnswer(415, {});
    if (given.length !== right.length || !timingSafeEqual(given, right)) return jsonAnswer(401, {});
    if (Math.abs(Date.now() / 1000 - Number(timestamp)) > OLDEST_SECONDS) return jsonAnswer(401, {});
    const message = objectIn(body);
    const id = String(message?.['id']);
    if (message === undefined || id !== headers['x-chimera-id']) return jsonAnswer(400, {});
    if (this.#ids.has(id)) this.repeated += 1;
    else {
      this.#ids.add(id);
      this.messages.push(message as unknown as TakenMessage);
    }
    return jsonAnswer(200, {});
  }
}
