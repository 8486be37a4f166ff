import { parseArgs } from 'node:util';
import { messageOf, StartupError } from '../domain/errors.js';

/** Whether `--json` is among the options of a command that has no others. @throws StartupError for others. */
export function wantsJson(options: readonly string[]): boolean {
  try {
    const { values } = parseArgs({ args: [...options], options: { json: { type: 'boolean' } } });
    return values.json === true;
  } catch (error) {
    throw new StartupError([messageOf(error)]);
  }
}
