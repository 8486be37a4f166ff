import { randomUUID } from 'node:crypto';
import type { SteeringAnswer } from '../api/steering-answer.js';
import { StartupError } from '../domain/errors.js';
import { isAddress } from '../domain/hex.js';
import { connect, isAgreed, reasonOf, SOURCES, type BotSources, type SteerOptions } from './bot-commands.js';
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
  const [things = '', verb = ''] = order.split(' ');
  if (things === 'borrowers' && !isAddress(name))
    throw new StartupError([`an address (0x and 40 hex digits) was expected, not "${name}"`]);
  const reason = reasonOf(options, terminal);
  const bot = await connect(options, sources);
  if (!(await isAgreed(options, terminal, () => `${order} ${name}?`))) return 1;
  const route = `/api/v1/${things}/${encodeURIComponent(name)}/${verb}`;
  const answer = await bot.ask<SteeringAnswer>('POST', route, { reason }, randomUUID());
  if (options.json === true) terminal.print(JSON.stringify(answer, null, 2));
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
