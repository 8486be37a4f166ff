import { join } from 'node:path';
import { BotStatusReader } from '../bot/bot-status.js';
import type { ChimeraConfig } from '../config/index.js';
import type { BotEvent } from '../domain/events/events.js';
import { PastLiquidations } from '../domain/past-liquidations.js';
import { inColour, plain } from '../monitoring/told/paint.js';
import { wrapped } from '../monitoring/told/wrapped.js';
import { Chain } from '../rpc/chain/chain.js';
import { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { assumeContract } from './assume.js';
import { lacksOf } from './node-features.js';
import { openBot } from './open-bot.js';
import { Rivals, type TakenPosition } from './rivals.js';
import type { RunTime } from './run-time.js';
import { COLUMNS, summaryLines, summaryOf } from './summary.js';
import { Screen, tableLines } from './table.js';
import { Tally } from './tally.js';
import { isTold, toldLines } from './told-lines.js';
import { watchConfig, type WatchSettings } from './watch-config.js';

export interface WatchOptions extends WatchSettings {
  readonly json: boolean;
  /** Absent: until it is ended. */
  readonly runTime: RunTime | undefined;
  /** Opens the page of the run in a browser. */
  readonly open?: ((url: string, directory: string) => void) | undefined;
  /** Takes over positions before the bot starts, with this configuration. */
  readonly begin?: ((config: ChimeraConfig) => Promise<void>) | undefined;
  /** Ends it after the first pass for which this holds. */
  readonly enough?: ((tally: Tally, config: ChimeraConfig) => boolean) | undefined;
}

/** Where it writes. */
export interface Output {
  readonly print: (line: string) => void;
  readonly draw?: ((text: string) => void) | undefined;
}

/** From one picture of the table to the next. Milliseconds. */
const DRAW_MS = 500;

/**
 * Tries the bot with nothing but the URL of a node: what it would do, what it would earn, and who did it
 * instead. It ends by itself, or at SIGINT or SIGTERM, in order.
 *
 * @throws StartupError with one sentence for everything that is missing or wrong.
 */
export async function watch(options: WatchOptions, output: Output): Promise<Tally> {
  const { json, runTime } = options;
  const tally = new Tally(performance.now() - process.uptime() * 1_000, () => performance.now());
  const end = new AbortController();
  const stop = (): void => end.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  const say = (text: string): void => {
    if (json) return;
    for (const line of wrapped(text, COLUMNS, '', '  ')) output.print(line);
  };

  const { config, file, directory, apiKey } = await watchConfig(options);
  say(
    `Chain ${config.network.chainId} (${config.network.name}), configured by ${file}; rows and log in ${directory}.`,
  );
  const { primary, backup, archive } = config.rpc;
  const pool = new RpcPool({ chainId: config.network.chainId, primary, backup, archive });
  const [lacks, assumption] = await Promise.all([
    lacksOf(config, pool),
    assumeContract(config, pool),
  ]).finally(() => pool.close());
  if (json) output.print(JSON.stringify({ event: 'watch-started', chainId: config.network.chainId, lacks }));
  for (const { sentence } of lacks) say(sentence);
  await options.begin?.(config);

  const screen = !json && output.draw ? new Screen(output.draw) : undefined;
  const paint = screen ? inColour : plain;
  let settled = false;
  const hear = (event: BotEvent): void => {
    tally.hear(event);
    if (event.event === 'pass' && 'blocks' in (runTime ?? {})) {
      const { blocks } = runTime as { blocks: number };
      if (tally.passes >= blocks) stop();
    }
    if (event.event === 'pass' && options.enough?.(tally, config)) stop();
    if (json && isTold(event)) output.print(JSON.stringify(event));
    else if (!json && !(screen && settled)) for (const line of toldLines(event, paint)) output.print(line);
  };
  const tell = ({ protocol, borrower, marketId, netProfitUsd8, rival }: TakenPosition): void => {
    if (json) {
      const ours = { protocol, borrower, marketId, netProfitUsd8: String(netProfitUsd8) };
      output.print(JSON.stringify({ event: 'watch-taken', ...ours, ...rival }));
    } else if (!screen || !settled)
      say(`× ${borrower} was liquidated by ${rival.sender} in block ${rival.block} (${rival.hash})`);
  };
  const bot = await openBot(config, join(directory, 'bot.log'), assumption.contract, hear);
  try {
    if (tally.apiUrl !== undefined && apiKey !== undefined) {
      const page = `${tally.apiUrl}/dashboard#key=${apiKey}`;
      say('See it in a browser, with a key that was made for this run:');
      if (!json) output.print(page);
      options.open?.(page, directory);
      if (json) output.print(JSON.stringify({ event: 'watch-api', url: tally.apiUrl, key: apiKey }));
    }
    const status = bot.app.get(BotStatusReader, { strict: false });
    const rivals = new Rivals(
      bot.app.get(PastLiquidations, { strict: false }),
      bot.app.get(Chain, { strict: false }),
      assumption.markets,
      (taken) => tell(taken),
    );
    const tick = setInterval(() => {
      const { head, positions, watched, liquidatable } = status.status();
      if (head) void rivals.look(tally, head.number);
      if (!screen || !tally.searched(config.protocols.map(({ name }) => name))) return;
      settled = true;
      screen.show(tableLines(tally, { head, positions, watched, liquidatable }, Date.now(), paint));
    }, DRAW_MS);
    const timer = runTime && 'ms' in runTime ? setTimeout(stop, runTime.ms) : undefined;
    await aborted(end.signal);
    clearInterval(tick);
    clearTimeout(timer);
    const head = status.status().head;
    if (head) await rivals.lookAtAll(tally, head.number);
  } finally {
    await bot.close();
  }
  if (json) output.print(JSON.stringify({ event: 'watch-ended', ...summaryOf(tally) }));
  else for (const line of ['', ...summaryLines(tally)]) output.print(line);
  return tally;
}

/** Resolves when it is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
