/** Hours in which LOW messages wait. Minutes since midnight in the time zone. */
export interface QuietHours {
  readonly fromMinute: number;
  readonly toMinute: number;
  /** A name of the IANA table, for example Europe/Berlin. */
  readonly timeZone: string;
}

const MINUTES_A_DAY = 1_440;
const MINUTE_MS = 60_000;

/**
 *  When the quiet hours end in which this instant lies. undefined outside of them. Milliseconds since the
 * epoch.
 */
export function endOfQuiet(nowMs: number, quiet: QuietHours | undefined): number | undefined {
  if (!quiet || quiet.fromMinute === quiet.toMinute) return undefined;
  const now = minuteOfDay(nowMs, quiet.timeZone);
  const length = minutesFrom(quiet.fromMinute, quiet.toMinute);
  if (minutesFrom(quiet.fromMinute, now) >= length) return undefined;
  const wholeMinute = nowMs - (nowMs % MINUTE_MS);
  const end = wholeMinute + minutesFrom(now, quiet.toMinute) * MINUTE_MS;
  // In the night in which the clocks change, the end lies an hour earlier or later.
  const offBy = minutesFrom(minuteOfDay(end, quiet.timeZone), quiet.toMinute);
  return end + (offBy > MINUTES_A_DAY / 2 ? offBy - MINUTES_A_DAY : offBy) * MINUTE_MS;
}

function minutesFrom(from: number, to: number): number {
  return (to - from + MINUTES_A_DAY) % MINUTES_A_DAY;
}

function minuteOfDay(ms: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(ms);
  const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  return of('hour') * 60 + of('minute');
}
