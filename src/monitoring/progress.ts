import type { WriteStream } from 'node:tty';
import { Clock } from '../domain/clock.js';
import type { BotEvent, EventNamed, Events } from '../domain/events/events.js';
import type { EventSubscriber } from './broadcast.js';

/** How far the backfill of a market has come. */
export type BackfillRange = Omit<EventNamed<'backfill-range'>, 'event'>;

/** The speed of a backfill; undefined while it is not known. */
export interface Pace {
  readonly blocksPerSecond: number | undefined;
  readonly etaSeconds: number | undefined;
}

/** Where the bar is drawn: standard error, when that is a terminal. */
export type Terminal = Pick<WriteStream, 'write' | 'columns'>;

/** The rate is measured over this many milliseconds, or over the last two ranges when they took longer. */
const RATE_WINDOW_MS = 10_000;
const LOG_EVERY_MS = 5_000;
const DRAW_EVERY_MS = 100;
/** A line of the log is longer than the bar or clears the rest of its line, so it covers the bar. */
const WIDEST_BAR = 76;
const LONGEST_BLOCKS = 24;
const SHORTEST_BLOCKS = 5;
const CLEAR_TO_END = '\u001b[K';

/**
 * Reports the progress of a backfill. On a terminal it redraws one line in place. Elsewhere it emits an
 * event, at most every five seconds. The cursor waits at the beginning of the bar, so that a line of the log
 * is written over the bar, and the bar is drawn again below it.
 */
export class BackfillReporter implements EventSubscriber {
  private readonly paces = new Map<string, MarketPace>();
  private toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly events: Pick<Events, 'emit'>,
    private readonly terminal: Terminal | undefined,
    private readonly clock: Clock = new Clock(),
  ) {}

  hear(event: BotEvent): void {
    if (event.event !== 'backfill-range') return;
    const { event: name, ...range } = event;
    this.report(range);
  }

  private report(range: BackfillRange): void {
    const nowMs = this.clock.monotonicMs();
    const known = this.paces.get(range.market) ?? new MarketPace();
    this.paces.set(range.market, known);
    const pace = known.after(range, nowMs);
    const done = blocksLeft(range) <= 0;
    if (done) this.paces.delete(range.market);
    const everyMs = this.terminal ? DRAW_EVERY_MS : LOG_EVERY_MS;
    if (nowMs - this.toldAtMs < everyMs && !(done && this.terminal)) return;
    this.toldAtMs = nowMs;
    if (this.terminal) {
      const columns = this.terminal.columns || 80; // 0: the width is not known
      const line = progressLine(range, pace, Math.min(columns - 1, WIDEST_BAR));
      this.terminal.write(`\r${line}${CLEAR_TO_END}${done ? '\n' : '\r'}`);
    } else this.events.emit({ event: 'backfill', ...range, ...pace });
  }
}

/** Between what was searched from the oldest block up, and from the newest one down. */
export function blocksLeft({ atBlock, toBlock, downTo = toBlock + 1 }: BackfillRange): number {
  return downTo - 1 - atBlock;
}

/** Measures the speed over the last seconds. */
class MarketPace {
  private samples: readonly { readonly left: number; readonly atMs: number }[] = [];

  after(range: BackfillRange, nowMs: number): Pace {
    const left = blocksLeft(range);
    const samples = [...this.samples, { left, atMs: nowMs }];
    const recent = samples.filter(({ atMs }) => atMs >= nowMs - RATE_WINDOW_MS);
    this.samples = recent.length >= 2 ? recent : samples.slice(-2);
    const [first] = this.samples;
    if (!first || first.atMs === nowMs) return { blocksPerSecond: undefined, etaSeconds: undefined };
    const perSecond = ((first.left - left) * 1000) / (nowMs - first.atMs);
    return {
      blocksPerSecond: Math.round(perSecond),
      etaSeconds: perSecond > 0 ? Math.ceil(left / perSecond) : undefined,
    };
  }
}

/**
 * `aave [######------] 50 % 1,200 blocks/s ETA 1:05 321 borrowers`, never longer than `columns`. In a narrow
 * terminal the bar is left out first, then the end of the line is cut.
 */
export function progressLine(range: BackfillRange, pace: Pace, columns: number): string {
  const { market, fromBlock, toBlock, borrowers } = range;
  const whole = toBlock - fromBlock + 1;
  const share = whole > 0 ? Math.min(1, Math.max(0, (whole - blocksLeft(range)) / whole)) : 1;
  const text = [
    `${String(Math.floor(share * 100)).padStart(3)} %`,
    `${pace.blocksPerSecond === undefined ? '?' : grouped(pace.blocksPerSecond)} blocks/s`,
    share === 1 ? 'done' : `ETA ${pace.etaSeconds === undefined ? '?' : duration(pace.etaSeconds)}`,
    `${grouped(borrowers)} borrowers`,
  ].join('  ');
  const blocks = Math.min(LONGEST_BLOCKS, columns - market.length - text.length - ' [] '.length);
  const bar = blocks >= SHORTEST_BLOCKS ? `[${'#'.repeat(share * blocks).padEnd(blocks, '-')}] ` : '';
  return `${market} ${bar}${text}`.slice(0, Math.max(0, columns));
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

/** 1:05, 1:02:03. */
function duration(seconds: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
