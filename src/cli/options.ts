import { parseArgs, type ParseArgsConfig } from 'node:util';
import { messageOf, StartupError } from '../domain/errors.js';

/** Whether `--json` is among the options of a command that has no others. @throws StartupError for others. */
export function wantsJson(options: readonly string[]): boolean {
  return optionsOf(options, { json: { type: 'boolean' } }).json === true;
}

/** The values of these options. @throws StartupError for others. */
export function optionsOf<const Known extends NonNullable<ParseArgsConfig['options']>>(
  options: readonly string[],
  known: Known,
): ReturnType<typeof parseArgs<{ args: string[]; options: Known }>>['values'] {
  try {
    return parseArgs({ args: [...options], options: known }).values;
  } catch (error) {
    throw new StartupError([messageOf(error)]);
  }
}
