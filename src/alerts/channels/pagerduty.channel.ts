import { createHash } from 'node:crypto';
import type { Message, Severity } from '../../domain/alert.js';
import type { Secret } from '../../domain/secret.js';
import { cut } from '../message-text.js';
import { DeliveryError, type Channel } from './channel.js';
import { postJson } from './post.js';

/** The limits of the Events API v2. */
const LONGEST_SUMMARY = 1_024;
const LONGEST_KEY = 255;

const SEVERITY: Readonly<Record<Severity, 'critical' | 'error' | 'warning' | 'info'>> = {
  CRITICAL: 'critical',
  HIGH: 'error',
  MEDIUM: 'warning',
  LOW: 'info',
};

export interface PagerDutyOptions {
  readonly name: string;
  /** Of the service region. */
  readonly url: string;
  readonly routingKey: Secret;
  readonly source: string;
}

/**
 * A service of PagerDuty, by the Events API v2. All messages of one trouble have one `dedup_key`, so that
 * they are one incident, which is resolved when the trouble is over.
 */
export class PagerDutyChannel implements Channel {
  readonly kind = 'pagerduty';
  readonly name: string;

  constructor(private readonly options: PagerDutyOptions) {
    this.name = options.name;
  }

  async send(message: Message, signal: AbortSignal): Promise<void> {
    const { url, routingKey } = this.options;
    const event = { routing_key: routingKey.reveal(), dedup_key: this.dedupKeyOf(message) };
    const body =
      message.status === 'resolved'
        ? { ...event, event_action: 'resolve' }
        : { ...event, event_action: 'trigger', ...this.trigger(message) };
    const answer = await postJson(`${url}/v2/enqueue`, JSON.stringify(body), signal);
    // What stands between us and PagerDuty answers with a page of its own.
    if (!/"status"\s*:\s*"success"/.test(answer.body))
      throw new DeliveryError(`it answered ${answer.status}, but not as PagerDuty does`);
  }

  private trigger(message: Message): object {
    const { severity, title, text, details = [], key, runbook, atMs } = message;
    return {
      payload: {
        summary: cut(`${title}: ${text}`, LONGEST_SUMMARY),
        source: this.options.source,
        severity: SEVERITY[severity],
        timestamp: new Date(atMs).toISOString(),
        component: 'chimera',
        class: key,
        custom_details: { text, details, runbook: runbook ?? null },
      },
      client: this.options.source,
      // A link has to be a whole address.
      ...(runbook !== undefined && URL.canParse(runbook) && { links: [{ href: runbook, text: 'Runbook' }] }),
    };
  }

  /** The same for all messages of one trouble of this bot; a longer one is replaced by its hash. */
  private dedupKeyOf({ key }: Message): string {
    const whole = `${this.options.source}/${key}`;
    return whole.length <= LONGEST_KEY ? whole : createHash('sha256').update(whole).digest('hex');
  }
}
