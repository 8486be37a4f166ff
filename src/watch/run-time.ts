import { StartupError } from '../domain/errors.js';

/** When a run ends by itself. */
export type RunTime = { readonly ms: number } | { readonly blocks: number };

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** @throws StartupError for a text that is none. */
export function runTimeOf(text: string): RunTime {
  const time = timeOf(text);
  if (time === undefined)
    throw new StartupError([`--for ${text}: a time such as 60s, 10m or 2h, or 100blocks was expected`]);
  return time;
}

/** Milliseconds. @throws StartupError for a text that is none. */
export function millisecondsOf(text: string, option: string): number {
  const time = timeOf(text);
  if (time && 'ms' in time) return time.ms;
  throw new StartupError([`${option} ${text}: a time such as 60s, 10m or 2h was expected`]);
}

function timeOf(text: string): RunTime | undefined {
  const [, count = '', unit = ''] = /^(\d{1,9})(ms|s|m|h|blocks?)$/.exec(text.trim()) ?? [];
  if (count === '' || Number(count) === 0) return undefined;
  return unit.startsWith('block') ? { blocks: Number(count) } : { ms: Number(count) * (UNITS_MS[unit] ?? 0) };
}
