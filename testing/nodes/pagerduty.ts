import {
  jsonAnswer,
  objectIn,
  ReceivingService,
  type Received,
  type ServerAnswer,
} from './receiving-server.js';

const SEVERITIES: readonly unknown[] = ['critical', 'error', 'warning', 'info'];
/** The limit of the documentation: 512 KB for an event. */
const LARGEST_BYTES = 512 * 1024;

/** An incident, as the service has it. */
export interface Incident {
  status: 'triggered' | 'resolved';
  readonly severity: string;
  readonly summary: string;
  triggers: number;
}

/** The Events API v2 of PagerDuty over HTTPS: it refuses what the real one refuses, in the same shape. */
export class PagerDutyServer extends ReceivingService {
  /** By dedup_key. */
  readonly incidents = new Map<string, Incident>();
  /** The next so many events are refused: too many of them. */
  tooMany = 0;

  private constructor(readonly routingKey: string) {
    super();
  }

  static start(routingKey = 'R0UT1NGKEY0123456789ABCDEFGHIJKL'): Promise<PagerDutyServer> {
    return new PagerDutyServer(routingKey).listen();
  }

  protected judge({ method, path, headers, body }: Received): ServerAnswer {
    if (method !== 'POST' || path !== '/v2/enqueue') return jsonAnswer(404, {});
    if (Buffer.byteLength(body) > LARGEST_BYTES) return jsonAnswer(413, {});
    if (this.tooMany > 0) {
      this.tooMany -= 1;
      return jsonAnswer(429, { status: 'throttle exceeded' }, { 'retry-after': '1' });
    }
    const event = objectIn(body);
    if (headers['content-type'] !== 'application/json' || !event) return refused(['Event object is invalid']);
    const problems = this.#problemsOf(event);
    if (problems.length > 0) return refused(problems);
    const key = String(event['dedup_key']);
    const known = this.incidents.get(key);
    if (event['event_action'] === 'resolve') {
      if (known) known.status = 'resolved';
    } else if (known?.status === 'triggered') known.triggers += 1;
    else {
      const { severity, summary } = event['payload'] as Record<string, string>;
      this.incidents.set(key, {
        ...{ status: 'triggered', severity: severity ?? '', summary: summary ?? '', triggers: 1 },
      });
    }
    return jsonAnswer(202, { status: 'success', message: 'Event processed', dedup_key: key });
  }

  #problemsOf(event: Readonly<Record<string, unknown>>): string[] {
    const { routing_key: routingKey, event_action: action, dedup_key: key, payload, links = [] } = event;
    const problems: string[] = [];
    // The real one takes every key of the right form, and drops events of keys that it does not know.
    if (typeof routingKey !== 'string' || routingKey.length !== 32) problems.push("'routing_key' is invalid");
    else if (routingKey !== this.routingKey) problems.push("'routing_key' is not of a service");
    if (!['trigger', 'acknowledge', 'resolve'].includes(String(action)))
      problems.push("'event_action' is invalid");
    if (key !== undefined && (typeof key !== 'string' || key.length > 255))
      problems.push("'dedup_key' is too long");
    if (key === undefined && action !== 'trigger') problems.push("'dedup_key' is missing or blank");
    if (action === 'trigger') problems.push(...payloadProblems(payload));
    for (const link of Array.isArray(links) ? links : ['no list'])
      if (!URL.canParse(String((link as Record<string, unknown>)['href'])))
        problems.push("'links' are invalid");
    return problems;
  }
}

function payloadProblems(payload: unknown): string[] {
  if (typeof payload !== 'object' || payload === null) return ["'payload' is missing or blank"];
  const { summary, source, severity, timestamp } = payload as Record<string, unknown>;
  const problems: string[] = [];
  if (typeof summary !== 'string' || summary.length === 0)
    problems.push("'payload.summary' is missing or blank");
  else if (summary.length > 1024) problems.push("'payload.summary' is too long");
  if (typeof source !== 'string' || source.length === 0)
    problems.push("'payload.source' is missing or blank");
  if (!SEVERITIES.includes(severity))
    problems.push(
      "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')",
    );
  if (timestamp !== undefined && (typeof timestamp !== 'string' || Number.isNaN(Date.parse(timestamp))))
    problems.push("'payload.timestamp' is invalid");
  return problems;
}

function refused(errors: readonly string[]): ServerAnswer {
  return jsonAnswer(400, { status: 'invalid event', message: 'Event object is invalid', errors });
}
