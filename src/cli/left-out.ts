import { randomUUID } from 'node:crypto';
import type { SteeringAnswer } from '../api/steering-answer.js';
import { StartupError } from '../domain/errors.js';
import { connect, SOURCES, type BotSources, type SteerOptions } from './bot-commands.js';
import type { Terminal } from './terminal.js';

/** What an operator takes out of the bot's sight, or gives back. */
export type LeaveOrder = 'protocols pause' | 'protocols resume' | 'borrowers deny' | 'borrowers allow';

/** Leaves a market or a borrower alone, or no longer, after a confirmation. */
export async function leaveOut(
  order: LeaveOrder,
  name: string,
  options: SteerOptions,
  terminal: Terminal,
  sources: BotSources = SOURCES,
): Promise<number> {
  const { reason, yes = false, json = false } = options;
  if (reason === undefined || reason.trim() === '')
    throw new StartupError(['--reason: a text of 1 to 500 characters was expected']);
  if (!yes && !terminal.ask)
    throw new StartupError(['--yes: it was expected, because there is no terminal to confirm on']);
  const bot = await connect(options, sources);
  if (!yes && terminal.ask) {
    const answer = await terminal.ask(`${order} ${name}? [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) {
      terminal.remark('nothing was done');
      return 1;
    }
  }
  const [things = '', verb = ''] = order.split(' ');
  const route = `/api/v1/${things}/${encodeURIComponent(name)}/${verb}`;
  const answer = await bot.ask<SteeringAnswer>('POST', route, { reason }, randomUUID());
  if (json) terminal.print(JSON.stringify(answer, null, 2));
  else for (const line of linesOf(answer)) terminal.print(line);
  return 0;
}

function linesOf({ paused, denied }: SteeringAnswer): string[] {
  const lines = [
    ...paused.map(({ protocol, reason, actor }) => `paused  ${protocol}: ${reason} (${actor})`),
    ...denied.map(({ borrower, reason, actor }) => `denied  ${borrower}: ${reason} (${actor})`),
  ];
  return lines.length > 0 ? lines : ['no market is paused, and no borrower is denied'];
}
