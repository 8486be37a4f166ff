import { Refusal } from './refusal.js';

/** A day, or an instant, in UTC. */
export const INSTANT = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z)?$/;
export const INSTANT_WANTED =
  'must be a day or an instant in UTC, such as 2026-01-31 or 2026-01-31T12:00:00Z';

/** @throws Refusal for a day that no calendar has. */
export function instantOf(name: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const instant = new Date(text);
  // JavaScript takes the 31st of February for the 3rd of March.
  const isDay = !Number.isNaN(instant.getTime()) && instant.toISOString().startsWith(text.slice(0, 10));
  if (!isDay) throw new Refusal(400, `${name} ${INSTANT_WANTED}`);
  return instant;
}
