import { randomUUID } from 'node:crypto';
import { SEVERITIES, type Alert, type Message, type MessageStatus, type Severity } from '../domain/alert.js';
import type { Clock } from '../domain/clock.js';
import type { Events } from '../domain/events/events.js';
import { LEFT_OUT_RULE } from './alert-rules.js';
import { MessageLimit } from './message-limit.js';
import { endOfQuiet, type QuietHours } from './quiet-hours.js';

/** A message, and who gets it. */
export interface Outgoing {
  readonly message: Message;
  /** Channels that take one of these severities. */
  readonly to: readonly Severity[];
  /** Not before this time. Milliseconds since the epoch. */
  readonly notBeforeMs?: number;
}

/** Trouble that lasts. Plain data: it is stored, so that a restart knows what was told. */
export interface ActiveAlert {
  readonly id: string;
  readonly alert: Alert;
  /** It came by an event, and is over when an operator acknowledges it. */
  readonly once: boolean;
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
  /** When it was told last; null: it was left out in a storm. Milliseconds since the epoch. */
  readonly toldAtMs: number | null;
  readonly repeats: number;
  /** How often it came again while it lasted. */
  readonly count: number;
  readonly acknowledged: { readonly actor: string; readonly atMs: number } | null;
}

export interface BookOptions {
  /** Unacknowledged CRITICAL and HIGH alerts are repeated after this time. 0: never. */
  readonly escalateAfterMs: number;
  readonly quietHours: QuietHours | undefined;
  /** The address of the runbook; an anchor is added. */
  readonly runbook: string;
}

const HOUR_MS = 3_600_000;
/** The time between two repeats doubles up to this. */
const LONGEST_REPEAT_MS = 4 * HOUR_MS;
/** An alert by an event that is not acknowledged is over after this time. */
const ONCE_LASTS_MS = 24 * HOUR_MS;

/**
 * What is wrong now, and what was told of it. The same trouble is told once, again while nobody acknowledges
 * it, and once more when it is over. A storm is cut short. It sends nothing itself.
 */
export class AlertBook {
  private readonly active = new Map<string, ActiveAlert>();
  private readonly limit = new MessageLimit();

  constructor(
    private readonly options: BookOptions,
    private readonly clock: Clock,
    private readonly events: Events,
    private readonly send: (outgoing: Outgoing) => void,
  ) {}

  /** Everything that is wrong now, the newest last. */
  get all(): readonly ActiveAlert[] {
    return [...this.active.values()];
  }

  /** What an earlier process left. */
  restore(alerts: readonly ActiveAlert[]): void {
    for (const one of alerts) if (!this.active.has(one.alert.key)) this.active.set(one.alert.key, one);
  }

  /** @param once see {@link ActiveAlert.once}. */
  fire(alert: Alert, once = false): void {
    const known = this.active.get(alert.key);
    if (known) {
      this.active.set(alert.key, { ...known, alert, count: known.count + (once ? 1 : 0) });
      return;
    }
    const nowMs = this.clock.wallMs();
    const fresh: ActiveAlert = {
      id: randomUUID(),
      alert,
      once,
      sinceMs: nowMs,
      toldAtMs: null,
      repeats: 0,
      count: 1,
      acknowledged: null,
    };
    const { id } = fresh;
    const { rule, severity, title, text } = alert;
    this.events.emit({ event: 'alert-raised', id, rule, severity, title, text, repeat: 0 });
    const isTold = this.tell(fresh, 'firing', [severity]);
    this.active.set(alert.key, { ...fresh, toldAtMs: isTold ? nowMs : null });
  }

  /** It is over. Who was told that it began is told that it ended. */
  resolve(key: string): void {
    const known = this.active.get(key);
    if (!known) return;
    this.active.delete(key);
    const { id, sinceMs, toldAtMs } = known;
    const { rule, severity, title } = known.alert;
    const lastedMs = this.clock.wallMs() - sinceMs;
    this.events.emit({ event: 'alert-resolved', id, rule, severity, title, lastedMs });
    if (toldAtMs !== null) this.emit(known, 'resolved', reachOf(known));
  }

  /**
   * An operator has seen it: it is not repeated.
   *
   * @returns the alert; undefined when there is none with this id.
   */
  acknowledge(id: string, actor: string): ActiveAlert | undefined {
    const known = this.all.find((one) => one.id === id);
    if (!known) return undefined;
    if (known.acknowledged) return known;
    const seen: ActiveAlert = { ...known, acknowledged: { actor, atMs: this.clock.wallMs() } };
    this.active.set(known.alert.key, seen);
    this.events.emit({ event: 'alert-acknowledged', id, rule: known.alert.rule, actor });
    if (known.once) this.resolve(known.alert.key);
    return seen;
  }

  /**
   * News that is no trouble.
   *
   * @param id of a report, which is sent whatever else is told. Without it, many wins at once are cut short.
   */
  notify(message: Pick<Message, 'key' | 'title' | 'text' | 'details'>, id?: string): void {
    if (id === undefined && !this.limit.admit('LOW', message.key, this.clock.monotonicMs())) return;
    const atMs = this.clock.wallMs();
    const news = { topic: 'notification', status: 'report', severity: 'LOW', atMs } as const;
    this.held({ ...message, ...news, id: id ?? randomUUID() }, ['LOW']);
  }

  /** What time brings: repeats, the end of a storm. Called about once a second. */
  tick(): void {
    const nowMs = this.clock.wallMs();
    for (const one of this.active.values()) {
      if (one.once && nowMs - one.sinceMs >= ONCE_LASTS_MS) this.resolve(one.alert.key);
      else if (this.isDue(one, nowMs)) this.repeat(one, nowMs);
    }
    this.reportLeftOut();
  }

  private isDue({ alert, acknowledged, sinceMs, toldAtMs, repeats }: ActiveAlert, nowMs: number): boolean {
    const { escalateAfterMs } = this.options;
    if (escalateAfterMs === 0 || acknowledged || !['CRITICAL', 'HIGH'].includes(alert.severity)) return false;
    return nowMs - (toldAtMs ?? sinceMs) >= Math.min(escalateAfterMs * 2 ** repeats, LONGEST_REPEAT_MS);
  }

  private repeat(one: ActiveAlert, nowMs: number): void {
    const { id, alert } = one;
    const { rule, severity, title, text } = alert;
    const repeated: ActiveAlert = { ...one, repeats: one.repeats + 1 };
    if (!this.tell(repeated, 'firing', reachOf(repeated))) return;
    this.active.set(alert.key, { ...repeated, toldAtMs: nowMs });
    this.events.emit({ event: 'alert-raised', id, rule, severity, title, text, repeat: repeated.repeats });
  }

  private reportLeftOut(): void {
    const nowMs = this.clock.monotonicMs();
    const leftOut = this.limit.report(nowMs);
    if (!leftOut) {
      if (this.active.has(LEFT_OUT_RULE) && this.limit.isCalm(nowMs)) this.resolve(LEFT_OUT_RULE);
      return;
    }
    const known = this.active.get(LEFT_OUT_RULE);
    const kinds = leftOut.of.map(([severity, count]) => `${count} ${severity}`).join(', ');
    const untold = this.all.filter(({ toldAtMs }) => toldAtMs === null).map(({ alert }) => alert.title);
    const still =
      untold.length === 0
        ? 'all of it is over'
        : `not told and still wrong: ${untold.slice(0, 10).join('; ')}`;
    const alert: Alert = {
      key: LEFT_OUT_RULE,
      rule: LEFT_OUT_RULE,
      severity: leftOut.severity,
      title: 'Messages were left out',
      text: `${leftOut.count} messages were left out in a storm (${kinds}); ${still}`,
    };
    const wallMs = this.clock.wallMs();
    const next: ActiveAlert = known
      ? { ...known, alert, toldAtMs: wallMs }
      : {
          ...{ id: randomUUID(), alert, once: false, sinceMs: wallMs, toldAtMs: wallMs },
          ...{ repeats: 0, count: 1, acknowledged: null },
        };
    this.active.set(LEFT_OUT_RULE, next);
    const { rule, severity, title, text } = alert;
    this.events.emit({ event: 'alert-raised', id: next.id, rule, severity, title, text, repeat: 0 });
    this.emit(next, 'firing', [severity]);
  }

  /** @returns whether it was told; false: it was left out. */
  private tell(one: ActiveAlert, status: MessageStatus, to: readonly Severity[]): boolean {
    const { severity, key } = one.alert;
    if (!this.limit.admit(severity, key, this.clock.monotonicMs())) return false;
    this.emit(one, status, to);
    return true;
  }

  private emit(one: ActiveAlert, status: MessageStatus, to: readonly Severity[]): void {
    const { severity, key, rule, title, text } = one.alert;
    const atMs = this.clock.wallMs();
    const lasting = `It lasted ${duration(atMs - one.sinceMs)}: ${text}`;
    const again = `It has lasted for ${duration(atMs - one.sinceMs)}, and is not acknowledged: ${text}`;
    const message: Message = {
      id: randomUUID(),
      topic: 'alert',
      status,
      severity,
      key,
      title,
      text: status === 'resolved' ? lasting : one.repeats > 0 ? again : text,
      details: status === 'firing' ? [`Acknowledge it: POST /api/v1/alerts/${one.id}/acknowledge`] : [],
      runbook: `${this.options.runbook}#${rule}`,
      atMs,
    };
    this.held(message, to);
  }

  private held(message: Message, to: readonly Severity[]): void {
    const until =
      message.severity === 'LOW' ? endOfQuiet(this.clock.wallMs(), this.options.quietHours) : undefined;
    this.send({ message, to, ...(until !== undefined && { notBeforeMs: until }) });
  }
}

/** Repeats also go to the channels of the next severity; those of CRITICAL, which has none, to all. */
function reachOf({
  alert: { severity },
  repeats,
}: Pick<ActiveAlert, 'alert' | 'repeats'>): readonly Severity[] {
  if (repeats === 0) return [severity];
  return severity === 'CRITICAL' ? SEVERITIES : [severity, 'CRITICAL'];
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
