import pino, { type DestinationStream } from 'pino';

const CLEAR_TO_END = '\u001b[K';
/**
 * Control characters, and marks that change the direction of text. Names and errors from outside may hold
 * them.
 */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;
/** A text that needs no quotes. */
const BARE = /^[^\s"=[\]{}]+$/u;

/**
 * Turns pino's JSON lines into readable ones: `12:00:00.123 INFO  pass block=100 positions=50`. Times are
 * UTC.
 */
export class ReadableLines implements DestinationStream {
  /** @param onTerminal clears the rest of each line, because a progress bar may have been drawn there. */
  constructor(
    private readonly output: DestinationStream,
    private readonly onTerminal: boolean,
  ) {}

  write(json: string): void {
    const end = this.onTerminal ? `${CLEAR_TO_END}\n` : '\n';
    for (const line of readableLines(json)) this.output.write(line + end);
  }
}

/** One line, then the lines of an error's stack. */
export function readableLines(json: string): string[] {
  let entry: unknown;
  try {
    entry = JSON.parse(json);
  } catch {
    entry = undefined;
  }
  if (typeof entry !== 'object' || entry === null) return [printable(json.trimEnd())];
  const { level, time, event, context, msg, err, ...fields } = entry as Record<string, unknown>;
  const name = pino.levels.labels[Number(level)] ?? 'info';
  const words = [
    new Date(Number(time)).toISOString().slice(11, 23),
    name.toUpperCase().padEnd(5),
    // An event has its own name. All events have the same context, so the context is left out.
    typeof event === 'string' ? event : typeof context === 'string' ? `[${context}]` : undefined,
    typeof msg === 'string' ? printable(msg) : undefined,
    ...Object.entries(fields).map(([key, value]) => `${key}=${shown(value)}`),
  ];
  return [words.filter((word) => word !== undefined).join(' '), ...stackOf(err)];
}

function shown(value: unknown): string {
  if (typeof value === 'string' && BARE.test(value)) return printable(value);
  return printable(JSON.stringify(value));
}

function stackOf(error: unknown): string[] {
  if (typeof error !== 'object' || error === null) return [];
  const { stack, message } = error as Record<string, unknown>;
  const text = typeof stack === 'string' ? stack : typeof message === 'string' ? message : '';
  return text.split('\n').map((line) => `    ${printable(line)}`);
}

function printable(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (mark) => `\\u${(mark.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}
