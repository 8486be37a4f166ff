import { createHmac } from 'node:crypto';
import type { Message } from '../../domain/alert.js';
import type { Clock } from '../../domain/clock.js';
import type { Secret } from '../../domain/secret.js';
import type { Channel } from './channel.js';
import { postJson } from './post.js';

/** The scheme of the signature: HMAC-SHA256 of `<timestamp>.<body>`, in hex. */
const SCHEME = 'v1';

export interface WebhookOptions {
  readonly name: string;
  readonly url: Secret;
  readonly secret: Secret;
  readonly source: string;
}

/**
 * JSON to an address of the operator, signed so that the receiver knows the sender, and knows an old request
 * from a new one (docs/alerts.md).
 */
export class WebhookChannel implements Channel {
  readonly kind = 'webhook';
  readonly name: string;

  constructor(
    private readonly options: WebhookOptions,
    private readonly clock: Clock,
  ) {
    this.name = options.name;
  }

  async send(message: Message, signal: AbortSignal): Promise<void> {
    const { url, secret, source } = this.options;
    const body = JSON.stringify(bodyOf(message, source));
    const timestamp = String(Math.floor(this.clock.wallMs() / 1000));
    await postJson(url.reveal(), body, signal, {
      'x-chimera-id': message.id,
      'x-chimera-timestamp': timestamp,
      'x-chimera-signature': `${SCHEME}=${signatureOf(secret, timestamp, body)}`,
    });
  }
}

/** Hex. The receiver computes the same over the bytes that it got. */
export function signatureOf(secret: Secret, timestamp: string, body: string): string {
  return createHmac('sha256', secret.reveal()).update(`${timestamp}.${body}`).digest('hex');
}

function bodyOf(message: Message, source: string): object {
  const { id, topic, status, severity, key, title, text, details = [], runbook, atMs } = message;
  return {
    ...{ id, source, topic, status, severity, key, title, text, details },
    runbook: runbook ?? null,
    at: new Date(atMs).toISOString(),
  };
}
