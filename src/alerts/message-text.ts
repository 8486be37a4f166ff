import type { Message } from '../domain/alert.js';

/** `[HIGH] The bot is THROTTLED`, `[RESOLVED] …`, or the bare title of a report. */
export function headlineOf({ status, severity, title }: Message): string {
  if (status === 'report') return title;
  return `[${status === 'resolved' ? 'RESOLVED' : severity}] ${title}`;
}

/** Everything as plain text, one thought a line. */
export function plainTextOf(message: Message, source: string): string {
  const { text, details = [], runbook, atMs } = message;
  return [
    headlineOf(message),
    text,
    ...details,
    ...(runbook === undefined ? [] : [`What to do: ${runbook}`]),
    `${source}, ${new Date(atMs).toISOString()}`,
  ].join('\n');
}

/** At most so many characters (UTF-16 units), without half a character at the end. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
