import { randomUUID } from 'node:crypto';
import type { WorkingLimitsAnswer } from '../api/steering-answer.js';
import { parseDecimal } from '../config/index.js';
import { StartupError } from '../domain/errors.js';
import { WORKING_LIMITS } from '../domain/steering.js';
import { usd } from '../monitoring/told/figures.js';
import { connect, isAgreed, reasonOf, SOURCES, type BotSources, type SteerOptions } from './bot-commands.js';
import type { Terminal } from './terminal.js';

export interface LimitsOptions extends SteerOptions {
  /** NAME=VALUE each. */
  set?: readonly string[];
}

/** Shows the limits that an operator may narrow, or narrows them after a confirmation. */
export async function limits(
  options: LimitsOptions,
  terminal: Terminal,
  sources: BotSources = SOURCES,
): Promise<number> {
  const { set = [], json = false } = options;
  const changes = Object.fromEntries(set.map(changeOf));
  const reason = set.length > 0 ? reasonOf(options, terminal) : undefined;
  const bot = await connect(options, sources);
  if (reason !== undefined && !(await isAgreed(options, terminal, () => `Set ${set.join(', ')}?`))) return 1;
  const route = '/api/v1/limits';
  const shown =
    set.length === 0
      ? await bot.ask<WorkingLimitsAnswer>('GET', route)
      : await bot.ask<WorkingLimitsAnswer>('POST', route, { ...changes, reason }, randomUUID());
  if (json) terminal.print(JSON.stringify(shown, null, 2));
  else for (const line of linesOf(shown)) terminal.print(line);
  return 0;
}

/** @throws StartupError for what is no change of a limit. */
function changeOf(text: string): [name: string, value: string | null] {
  const [name = '', value = '', ...more] = text.split('=');
  if (!WORKING_LIMITS.some((one) => one === name) || value === '' || more.length > 0)
    throw new StartupError([
      `--set: NAME=VALUE was expected, with a NAME of ${WORKING_LIMITS.join(', ')}, not "${text}"`,
    ]);
  return [name, value === 'configured' ? null : value];
}

function linesOf({ limits: all }: WorkingLimitsAnswer): string[] {
  const dollars = (text: string): string => usd(parseDecimal(text, 8) ?? 0n);
  const width = Math.max(...all.map(({ name }) => name.length));
  return all.map(({ name, valueUsd, configuredUsd, setBy }) => {
    const why = setBy ? `, set by ${setBy.actor}: ${setBy.reason}` : '';
    return `${name.padEnd(width)}  ${dollars(valueUsd)} (configured: ${dollars(configuredUsd)}${why})`;
  });
}
