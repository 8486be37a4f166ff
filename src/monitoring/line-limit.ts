import type { BotEvent } from '../domain/events/events.js';

/** Lines a minute of one event with one reason. A person reads the first ones; the rest is a number. */
export const LINES_PER_REASON = 60;
/** Lines a minute of one event, whatever the reasons: an error's text may differ each time. */
export const LINES_PER_EVENT = 300;
/** The end of each pass is one line, and some chains have five blocks a second. */
const LINES_OF_PASSES = 600;
const WINDOW_MS = 60_000;

/** How many lines of an event were left out in the last minute. */
export interface LeftOut {
  readonly of: BotEvent['event'];
  /** As in the lines before it, without numbers and addresses; undefined where there is none, or many. */
  readonly reason: string | undefined;
  readonly lines: number;
}

/**
 * Each of these is an act of the bot or of a person, and is bounded where it is decided. None of them may be
 * missing in the log.
 */
const NEVER_LEFT_OUT: ReadonlySet<BotEvent['event']> = new Set([
  'transaction-sent',
  'execution-settled',
  'execution-reopened',
  'safety-changed',
  'bot-started',
  'bot-stopping',
]);

interface Count extends Omit<LeftOut, 'lines'> {
  written: number;
  leftOut: number;
}

/** Bounds the lines of a flood by event, reason and minute (F55). It says how many it left out. */
export class LineLimit {
  private startedAtMs: number | undefined;
  private readonly counts = new Map<string, Count>();
  private readonly written = new Map<BotEvent['event'], number>();

  /** @returns whether the line of this event is to be written. */
  admit(event: BotEvent, nowMs: number): boolean {
    const of = event.event;
    if (NEVER_LEFT_OUT.has(of)) return true;
    this.startedAtMs ??= nowMs;
    const written = this.written.get(of) ?? 0;
    const most = of === 'pass' ? LINES_OF_PASSES : LINES_PER_EVENT;
    // Beyond the limit of the event its reasons are no longer told apart, so that the table stays small.
    const count = this.countOf(of, written < most ? reasonOf(event) : undefined);
    const admitted = written < most && count.written < (of === 'pass' ? most : LINES_PER_REASON);
    if (admitted) {
      count.written += 1;
      this.written.set(of, written + 1);
    } else count.leftOut += 1;
    return admitted;
  }

  /** What was left out in the minute, once it is over. A new minute begins with the next event. */
  endMinute(nowMs: number): LeftOut[] {
    return this.startedAtMs === undefined || nowMs - this.startedAtMs < WINDOW_MS ? [] : this.end();
  }

  /** The same before the minute is over: at the end of the process. */
  end(): LeftOut[] {
    const leftOut = [...this.counts.values()]
      .filter(({ leftOut }) => leftOut > 0)
      .map(({ of, reason, leftOut }) => ({ of, reason, lines: leftOut }));
    this.startedAtMs = undefined;
    this.counts.clear();
    this.written.clear();
    return leftOut;
  }

  private countOf(of: BotEvent['event'], reason: string | undefined): Count {
    const key = `${of} ${reason ?? ''}`;
    const count = this.counts.get(key) ?? { of, reason, written: 0, leftOut: 0 };
    this.counts.set(key, count);
    return count;
  }
}

/** What makes two events of one name the same to a reader: their kind and their words without the numbers. */
function reasonOf(event: BotEvent): string | undefined {
  const { kind, consequence, reason, message }: Record<string, unknown> = { ...event };
  const words = [kind, consequence, reason, message].filter((part) => typeof part === 'string');
  return words.length === 0
    ? undefined
    : words
        .join(' ')
        .replace(/0x[0-9a-f]+|\d+/gi, '…')
        .slice(0, 200);
}
