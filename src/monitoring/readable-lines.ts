import pino, { type DestinationStream } from 'pino';
import { plain, type Colour, type Paint } from './told/paint.js';
import { sentenceOf } from './told/sentences.js';

const CLEAR_TO_END = '\u001b[K';
/**
 * Control characters, and marks that change the direction of text. Names and errors from outside may hold
 * them.
 */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;
/** A text that needs no quotes. */
const BARE = /^[^\s"=[\]{}]+$/u;
const COLOUR_OF_LEVEL: Readonly<Record<string, Colour>> = { debug: 'dim', warn: 'yellow', error: 'red' };

/**
 * Turns pino's JSON lines into readable ones: `12:00:00.123 INFO  api-listening: at http://127.0.0.1:3000`.
 * Times are UTC.
 */
export class ReadableLines implements DestinationStream {
  /** @param onTerminal clears the rest of each line, because a progress bar may have been drawn there. */
  constructor(
    private readonly output: DestinationStream,
    private readonly onTerminal: boolean,
    private readonly paint: Paint = plain,
  ) {}

  write(json: string): void {
    const end = this.onTerminal ? `${CLEAR_TO_END}\n` : '\n';
    for (const line of readableLines(json, this.paint)) this.output.write(line + end);
  }
}

/** One line, then the lines of an error's stack. */
export function readableLines(json: string, paint: Paint = plain): string[] {
  let entry: unknown;
  try {
    entry = JSON.parse(json);
  } catch {
    entry = undefined;
  }
  if (typeof entry !== 'object' || entry === null) return [printable(json.trimEnd())];
  const { level, time, event, context, msg, err, ...fields } = entry as Record<string, unknown>;
  const name = pino.levels.labels[Number(level)] ?? 'info';
  const colour = COLOUR_OF_LEVEL[name];
  const label = name.toUpperCase().padEnd(5);
  const sentence = typeof event === 'string' ? toldSentence({ ...fields, event }) : undefined;
  const words = [
    paint('dim', new Date(Number(time)).toISOString().slice(11, 23)),
    colour === undefined ? label : paint(colour, label),
    // An event has its own name. All events have the same context, so the context is left out.
    typeof event === 'string'
      ? `${paint('bold', event)}${sentence === undefined ? '' : ':'}`
      : typeof context === 'string'
        ? `[${context}]`
        : undefined,
    typeof msg === 'string' ? printable(msg) : undefined,
    ...(sentence === undefined
      ? Object.entries(fields).map(([key, value]) => `${key}=${shown(value)}`)
      : [printable(sentence)]),
  ];
  return [
    words.filter((word) => word !== undefined).join(' '),
    ...stackOf(err ?? { stack: fields['stack'] }),
  ];
}

/** Undefined for an event that lacks a field: a log never fails. Its fields are shown as they are. */
function toldSentence(event: { readonly event: string }): string | undefined {
  try {
    return sentenceOf(event, (borrower, marketId) => (marketId ? `${borrower} in ${marketId}` : borrower));
  } catch {
    return undefined;
  }
}

function shown(value: unknown): string {
  if (typeof value === 'string' && BARE.test(value)) return printable(value);
  return printable(JSON.stringify(value));
}

function stackOf(error: unknown): string[] {
  if (typeof error !== 'object' || error === null) return [];
  const { stack, message } = error as Record<string, unknown>;
  const text = typeof stack === 'string' ? stack : typeof message === 'string' ? message : '';
  if (text === '') return [];
  return text.split('\n').map((line) => `    ${printable(line)}`);
}

function printable(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (mark) => `\\u${(mark.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}
