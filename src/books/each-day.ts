import type { DayFigures, Period } from '../database/index.js';
import { utcDay } from '../domain/authorisation.js';

const DAY_MS = 86_400_000;
const EMPTY = { won: 0, simulatedUsd8: 0n, realisedUsd8: 0n, lostFeesUsd8: 0n, dryRuns: 0, dryRunUsd8: 0n };

/** Each day that the period touches, UTC, also those in which nothing happened. */
export function eachDay({ from, to }: Period, found: readonly DayFigures[]): DayFigures[] {
  const known = new Map(found.map((one) => [one.day, one]));
  const days: DayFigures[] = [];
  for (let at = Math.floor(from.getTime() / DAY_MS) * DAY_MS; at < to.getTime(); at += DAY_MS) {
    const day = utcDay(at);
    days.push(known.get(day) ?? { day, ...EMPTY });
  }
  return days;
}
