import type { Period, ReportKind } from '../database/index.js';
import { utcDay } from '../domain/authorisation.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const DAYS: Readonly<Record<ReportKind, number>> = { day: 1, week: 7 };

/** A period that is over, and the first day that it covers. */
export interface ReportPeriod extends Period {
  readonly kind: ReportKind;
  /** YYYY-MM-DD. */
  readonly day: string;
}

/**
 * The last whole day and the last whole week (from Monday) whose reports are due. UTC.
 *
 * @param reportHour the hour of the day from which on a report is made.
 */
export function duePeriods(nowMs: number, reportHour: number): ReportPeriod[] {
  const today = Math.floor((nowMs - reportHour * HOUR_MS) / DAY_MS) * DAY_MS;
  // 1 January 1970 was a Thursday.
  const sinceMonday = ((today / DAY_MS + 3) % 7) * DAY_MS;
  return (['day', 'week'] as const).map((kind) => {
    const to = kind === 'day' ? today : today - sinceMonday;
    const from = to - DAYS[kind] * DAY_MS;
    return { kind, day: utcDay(from), from: new Date(from), to: new Date(to) };
  });
}
