import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Clock } from '../domain/clock.js';
import type { BotEvent, EventNamed } from '../domain/events/events.js';
import type { EventSubscriber } from './broadcast.js';
import { LineLimit, type LeftOut } from './line-limit.js';

type Level = 'silent' | 'debug' | 'info' | 'warn' | 'error';
type LevelOf<E extends BotEvent> = Level | ((event: E) => Level);

/** The level of each event; `info` when it is not listed. `silent`: the event is not logged. */
const LEVELS: { readonly [Name in BotEvent['event']]?: LevelOf<EventNamed<Name>> } = {
  'backfill-range': 'silent', // The backfill reporter emits the progress every few seconds.
  'rpc-request': 'silent',
  'stages-timed': 'silent',
  // A pass is worth a line only when there was something to liquidate.
  pass: ({ liquidatable }) => (liquidatable > 0 ? 'info' : 'debug'),
  'pass-failed': ({ consequence }) => (consequence === 'halt' ? 'error' : 'warn'),
  'unhandled-error': 'error',
  'clock-off': 'warn',
  'sequencer-anomaly': ({ severity }) => (severity === 'halt' ? 'error' : 'warn'),
  'backfill-paused': 'warn',
  'checkpoint-not-saved': 'warn',
  divergence: 'error',
  'market-refused': 'error',
  'market-unpriced': 'warn',
  'positions-incomplete': 'error',
  'positions-suspected': 'warn',
  'pools-not-read': 'warn',
  'feeds-not-read': 'warn',
  'pool-differs': 'warn',
  'price-differs': 'warn',
  'native-price-kept': 'warn',
  'execution-reopened': 'warn',
  'safety-not-saved': 'error',
  'database-lost': 'warn',
  'writes-dropped': 'warn',
  'embedded-database': 'warn',
  'lines-left-out': 'warn',
  'metrics-export-failed': 'warn',
  'cache-lost': 'warn',
  // A caller without a key can cause these, up to the rate limit.
  'api-key-refused': 'debug',
  'api-role-refused': 'warn',
  concern: ({ change, state }) => (change === 'raised' && state === 'HALTED' ? 'error' : 'warn'),
  'safety-changed': ({ to }) => (to === 'NORMAL' ? 'info' : 'warn'),
  'secrets-read': ({ unused }) => (unused.length > 0 ? 'warn' : 'info'),
  'secrets-reread': ({ needStart, problems }) => (needStart.length + problems.length > 0 ? 'warn' : 'info'),
  'heads-silent': 'warn',
  'history-left-to-nodes': 'warn',
  'history-distrusted': 'warn',
  'head-poll-failed': 'warn',
  'head-not-believed': 'warn',
  'block-time-not-believed': 'warn',
  'logs-not-believed': 'warn',
  'head-handler-failed': 'warn',
  'websocket-lost': 'warn',
  'websocket-message-ignored': 'warn',
  'log-subscription-refused': 'warn',
  // Losing a race is everyday business; a malfunction is not.
  'execution-settled': ({ outcome }) =>
    outcome === 'malfunction' ? 'error' : outcome === 'won' ? 'info' : 'warn',
  'lease-lost': ({ reason }) => (reason === 'it was given back' ? 'info' : 'warn'),
  'transaction-unanswered': 'warn',
  'transaction-refused-again': 'warn',
  'transaction-not-saved': 'warn',
  'transaction-count-disputed': 'warn',
  'receipt-disputed': 'warn',
  'second-opinion-unavailable': 'warn',
  'drain-failed': 'warn',
  'left-in-flight': 'warn',
  'alert-raised': ({ severity }) => (severity === 'LOW' ? 'info' : 'warn'),
  'alert-sent': 'debug',
  'alert-failed': 'warn',
  'telegram-lost': 'warn',
  'telegram-ignored': 'warn',
  'telegram-answer-lost': 'warn',
};

export function levelOf(event: BotEvent): Level {
  // The table gives each name the function for its own events.
  const level = LEVELS[event.event] as LevelOf<BotEvent> | undefined;
  return typeof level === 'function' ? level(event) : (level ?? 'info');
}

/** What the logger adds to each line itself: an event with such a field would write it twice. */
interface Line {
  readonly event: string;
  readonly level?: never;
  readonly time?: never;
  readonly context?: never;
}

/** At the end of a minute without events, this often: what was left out is said while it is news. */
const CHECK_EVERY_MS = 5_000;

/**
 * Writes the events as structured log lines: one JSON object a line, the event's name under `event`. Of a
 * flood it writes the first lines of each minute, then how many it left out.
 */
@Injectable()
export class EventLog implements EventSubscriber, OnApplicationBootstrap, OnApplicationShutdown {
  private readonly limit = new LineLimit();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly logger: PinoLogger,
    private readonly clock: Clock = new Clock(),
  ) {
    logger.setContext('Chimera');
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.reportLeftOut(), CHECK_EVERY_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
    this.say(this.limit.end());
  }

  hear(event: BotEvent): void {
    const level = levelOf(event);
    if (level === 'silent' || !this.logger.logger.isLevelEnabled(level)) return;
    this.reportLeftOut();
    const line: Line = event;
    if (this.limit.admit(event, this.clock.monotonicMs())) this.logger[level](line);
  }

  private reportLeftOut(): void {
    this.say(this.limit.endMinute(this.clock.monotonicMs()));
  }

  private say(leftOut: readonly LeftOut[]): void {
    for (const left of leftOut) this.logger.warn({ event: 'lines-left-out', ...left } satisfies BotEvent);
  }
}
