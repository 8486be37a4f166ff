import type { Alert } from '../domain/alert.js';
import type { BotEvent } from '../domain/events/events.js';
import { EVENT_RULES, STATUS_RULES, type Finding, type StatusRule } from './alert-rules.js';
import type { Watched } from './watched.js';

/** What changed since the last look. */
export interface RuleChanges {
  /** What fires now, also what has fired before: its text may have changed. */
  readonly firing: readonly Alert[];
  /** The keys of what is over. */
  readonly over: readonly string[];
}

interface Seen {
  readonly sinceMs: number;
  readonly rule: string;
  isFiring: boolean;
  /** Since when it is not found any more. */
  goneSinceMs: number | undefined;
}

/** Applies the rules. A trouble has to last before it fires, and to be gone for a while before it is over. */
export class RuleWatch {
  private readonly seen = new Map<string, Seen>();

  constructor(
    private readonly statusRules: Readonly<Record<string, StatusRule>> = STATUS_RULES,
    private readonly eventRules = EVENT_RULES,
  ) {}

  /** What fired before a restart: it is over only when it is not found any more. */
  adopt(alerts: readonly Pick<Alert, 'key' | 'rule'>[], nowMs: number): void {
    for (const { key, rule } of alerts)
      if (rule in this.statusRules)
        this.seen.set(key, { sinceMs: nowMs, rule, isFiring: true, goneSinceMs: undefined });
  }

  /** @param nowMs monotonic. */
  look(watched: Watched, nowMs: number): RuleChanges {
    const found = new Map<string, { readonly name: string; readonly finding: Finding }>();
    for (const [name, rule] of Object.entries(this.statusRules))
      for (const finding of rule.find(watched)) found.set(keyOf(name, finding), { name, finding });
    const firing: Alert[] = [];
    for (const [key, { name, finding }] of found) {
      const rule = this.statusRules[name];
      if (rule && this.fires(key, name, rule, nowMs)) firing.push(alertOf(name, rule, finding));
    }
    return { firing, over: this.overAt(found, watched, nowMs) };
  }

  /** What an event says of itself. */
  hear(event: BotEvent): Alert[] {
    return Object.entries(this.eventRules).flatMap(([name, rule]) => {
      // The table gives each name the function for its own events.
      const find = rule.on[event.event] as ((event: BotEvent) => Finding | undefined) | undefined;
      const finding = find?.(event);
      return finding ? [alertOf(name, rule, finding)] : [];
    });
  }

  private fires(key: string, name: string, rule: StatusRule, nowMs: number): boolean {
    const seen = this.seen.get(key) ?? {
      sinceMs: nowMs,
      rule: name,
      isFiring: false,
      goneSinceMs: undefined,
    };
    this.seen.set(key, seen);
    seen.goneSinceMs = undefined;
    if (seen.isFiring) return true;
    if (nowMs - seen.sinceMs < (rule.afterMs ?? 0) || this.isCovered(rule)) return false;
    seen.isFiring = true;
    return true;
  }

  private isCovered({ coveredBy = [] }: StatusRule): boolean {
    return [...this.seen.values()].some(({ rule, isFiring }) => isFiring && coveredBy.includes(rule));
  }

  private overAt(found: ReadonlyMap<string, unknown>, { phase }: Watched, nowMs: number): string[] {
    const over: string[] = [];
    for (const [key, seen] of this.seen) {
      if (found.has(key)) continue;
      if (!seen.isFiring) {
        this.seen.delete(key);
        continue;
      }
      // A bot that starts does not know yet what is well.
      if (phase === 'starting') continue;
      seen.goneSinceMs ??= nowMs;
      if (nowMs - seen.goneSinceMs < (this.statusRules[seen.rule]?.clearAfterMs ?? 0)) continue;
      this.seen.delete(key);
      over.push(key);
    }
    return over;
  }
}

function keyOf(name: string, { subject }: Finding): string {
  return subject === undefined ? name : `${name}:${subject}`;
}

export function alertOf(
  rule: string,
  { severity, title }: Pick<StatusRule, 'severity' | 'title'>,
  finding: Finding,
): Alert {
  const { subject, text } = finding;
  const named = subject === undefined ? title : `${title}: ${subject}`;
  return { key: keyOf(rule, finding), rule, severity, title: named, text };
}
