import { SEVERITIES, rankOf, type Severity } from '../domain/alert.js';

/** So many messages of one severity in a window. A person reads the first ones; the rest is a number. */
const MOST_PER_SEVERITY: Readonly<Record<Severity, number>> = { CRITICAL: 20, HIGH: 10, MEDIUM: 10, LOW: 10 };
/** So many messages about one trouble in a window: it comes and goes. What is CRITICAL may not come late. */
const MOST_PER_KEY: Readonly<Record<Severity, number>> = { CRITICAL: 10, HIGH: 3, MEDIUM: 3, LOW: 3 };
const WINDOW_MS = 300_000;
/** So long after the first message that is left out it is said how many. */
const FIRST_REPORT_MS = 60_000;

/** What was left out since the last report. */
export interface LeftOut {
  readonly count: number;
  /** The most urgent among them. */
  readonly severity: Severity;
  /** How many of each severity, the most urgent first. */
  readonly of: readonly (readonly [Severity, number])[];
}

/** Bounds the messages of a storm (F38). A storm of one severity takes nothing from the others. */
export class MessageLimit {
  private readonly told: { readonly atMs: number; readonly severity: Severity; readonly key: string }[] = [];
  private readonly leftOut = new Map<Severity, number>();
  private reportDueMs: number | undefined;
  private reportedAtMs = Number.NEGATIVE_INFINITY;

  /** @param nowMs monotonic. @returns whether this message may go out now. */
  admit(severity: Severity, key: string, nowMs: number): boolean {
    while (this.told[0] && nowMs - this.told[0].atMs >= WINDOW_MS) this.told.shift();
    const ofSeverity = this.told.filter((one) => one.severity === severity).length;
    const ofKey = this.told.filter((one) => one.key === key).length;
    if (ofSeverity < MOST_PER_SEVERITY[severity] && ofKey < MOST_PER_KEY[severity]) {
      this.told.push({ atMs: nowMs, severity, key });
      return true;
    }
    this.leftOut.set(severity, (this.leftOut.get(severity) ?? 0) + 1);
    this.reportDueMs ??= Math.max(nowMs + FIRST_REPORT_MS, this.reportedAtMs + WINDOW_MS);
    return false;
  }

  /** What was left out, when it is time to say so. */
  report(nowMs: number): LeftOut | undefined {
    if (this.reportDueMs === undefined || nowMs < this.reportDueMs) return undefined;
    this.reportDueMs = undefined;
    this.reportedAtMs = nowMs;
    const of = [...this.leftOut].sort(([a], [b]) => rankOf(a) - rankOf(b));
    this.leftOut.clear();
    return {
      count: of.reduce((sum, [, count]) => sum + count, 0),
      severity: of[0]?.[0] ?? SEVERITIES[3],
      of,
    };
  }

  /** Nothing was left out for a whole window since the last report. */
  isCalm(nowMs: number): boolean {
    return this.leftOut.size === 0 && nowMs - this.reportedAtMs >= WINDOW_MS;
  }
}
