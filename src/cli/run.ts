import { inspect } from 'node:util';
import { ChimeraError, StartupError } from '../domain/errors.js';
import type { Command, Terminal } from './command.js';
import { COMMANDS } from './commands.js';

/** @returns the exit code: 0, or 1 after a problem, with one sentence for each. */
export async function run(
  words: readonly string[],
  terminal: Terminal,
  commands: Readonly<Record<string, Command>> = COMMANDS,
): Promise<number> {
  const found = Object.entries(commands).find(([name]) => isPrefix(name.split(' '), words));
  if (!found) {
    const isHelp = words.length === 0 || words.includes('--help');
    const usage = usageOf(commands);
    if (isHelp) terminal.print(usage);
    else terminal.remark(`chimera: there is no command "${words.join(' ')}".\n${usage}`);
    return isHelp ? 0 : 1;
  }
  const [name, command] = found;
  try {
    return await command.run(words.slice(name.split(' ').length), terminal);
  } catch (error) {
    const problems =
      error instanceof StartupError
        ? error.problems
        : [error instanceof ChimeraError ? error.message : inspect(error)];
    for (const problem of problems) terminal.remark(`chimera ${name}: ${problem}`);
    return 1;
  }
}

function isPrefix(name: readonly string[], words: readonly string[]): boolean {
  return name.every((word, index) => words[index] === word);
}

function usageOf(commands: Readonly<Record<string, Command>>): string {
  const width = Math.max(...Object.keys(commands).map(({ length }) => length));
  const lines = Object.entries(commands).map(([name, { about }]) => `  ${name.padEnd(width)}  ${about}`);
  return ['Usage: npx chimera COMMAND [OPTIONS]', ...lines].join('\n');
}
