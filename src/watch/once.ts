import { join } from 'node:path';
import { BotStatusReader } from '../bot/bot-status.js';
import { ChimeraBot } from '../bot/chimera-bot.js';
import { AlertsConfig, ChimeraConfig, ConfigSource, type ConfigSourceOptions } from '../config/index.js';
import { StartupError } from '../domain/errors.js';
import type { BotEvent } from '../domain/events/events.js';
import { duration } from '../monitoring/told/figures.js';
import { plain } from '../monitoring/told/paint.js';
import { wrapped } from '../monitoring/told/wrapped.js';
import { OnceTally, type OnceResult, type OnceSummary } from './once-tally.js';
import { openBot } from './open-bot.js';
import { COLUMNS } from './summary.js';
import { isTold, toldLines } from './told-lines.js';
import { aborted, type Output } from './watch.js';

export interface OnceOptions {
  readonly from: ConfigSourceOptions;
  /** Sends, where the configuration says so too. */
  readonly live: boolean;
  readonly withinMs: number;
  readonly json: boolean;
  /** Refuses what must not run now, by a StartupError. */
  readonly admit: (config: ChimeraConfig) => Promise<void>;
}

/** 1 is a problem: it could not look. */
export const EXIT_CODES: Readonly<Record<OnceResult, number>> = { nothing: 0, left: 2, done: 3, failed: 4 };

/** How long what was sent is followed. */
const SETTLE_MS = 60_000;

/**
 * Works as the bot does, from its start until it knows every borrower of every market, and every pool, and
 * has looked at all of them once. Then it follows what it has sent to its end.
 *
 * @throws StartupError with one sentence for everything that is missing or wrong, also where it did not come
 *   to that look in time.
 */
export async function once(
  { from, live, withinMs, json, admit }: OnceOptions,
  output: Output,
): Promise<OnceResult> {
  const { config: read, source } = await ConfigSource.load(from);
  const { mode } = read.execution;
  if (live && mode !== 'live')
    throw new StartupError([`--live: ${source.fileName} has execution.mode: ${mode}; live was expected`]);
  const say = (text: string): void => {
    if (!json) for (const line of wrapped(text, COLUMNS, '', '  ')) output.print(line);
  };
  if (mode === 'live' && !live) say('execution.mode is live, and --live was not given: nothing is sent.');
  const config = lookingOnce(read, live);
  await admit(config);
  const tally = new OnceTally(
    config.execution.mode,
    config.protocols.map(({ name }) => name),
  );
  const end = new AbortController();
  const stop = (): void => end.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  const hear = (event: BotEvent): void => {
    tally.hear(event);
    if (json && isTold(event)) output.print(JSON.stringify(event));
    else if (!json) for (const line of toldLines(event, plain)) output.print(line);
    if (tally.isComplete) stop();
  };
  const timer = setTimeout(stop, withinMs);
  const bot = await openBot(config, join(config.journal.dir, 'once.log'), undefined, hear);
  let skipped: OnceSummary['skipped'];
  try {
    await aborted(end.signal);
    await bot.app.get(ChimeraBot, { strict: false }).finish(tally.isComplete ? SETTLE_MS : 0);
    const { backfill, skipped: left } = bot.app.get(BotStatusReader, { strict: false }).status();
    if (!tally.isComplete)
      throw new StartupError([
        notReached(
          withinMs,
          backfill.map(({ market }) => market),
          tally,
        ),
      ]);
    skipped = left;
  } finally {
    clearTimeout(timer);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
    await bot.close();
  }
  if (json) output.print(JSON.stringify({ event: 'once-ended', ...tally.summary(skipped) }));
  else {
    output.print('');
    for (const sentence of tally.sentences(skipped)) say(sentence);
  }
  return tally.result;
}

function notReached(withinMs: number, searching: readonly string[], { lastFailure }: OnceTally): string {
  const where = searching.length > 0 ? `; still searched: ${searching.join(', ')}` : '';
  const why = lastFailure === undefined ? '' : `; the last pass failed: ${lastFailure}`;
  return `it was ended, at the latest after ${duration(withinMs)}, before every position was looked at${where}${why}; another run goes on where this one stopped`;
}

/** The API is at a free port, because a bot may run with the same file; nothing is told elsewhere. */
function lookingOnce({ alerts, ...read }: ChimeraConfig, live: boolean): ChimeraConfig {
  const { ...execution } = read.execution;
  const { ...api } = read.api;
  const { cloudwatch: _, ...monitoring } = read.monitoring;
  return Object.freeze(
    Object.assign(new ChimeraConfig(), read, {
      execution: { ...execution, mode: live ? ('live' as const) : ('dry-run' as const) },
      alerts: Object.assign(new AlertsConfig(), alerts, { channels: [] }),
      monitoring: { ...monitoring, logFormat: 'json' as const },
      api: { ...api, host: '127.0.0.1', port: 0 },
    }),
  );
}
