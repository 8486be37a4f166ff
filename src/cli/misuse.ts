import type { CommandRunner } from 'nest-commander';

/** A command as commander has it. */
export type Parsed = Parameters<CommandRunner['setCommand']>[0];

/** What commander ends with: a mistake, or a help that was shown. */
interface Ending {
  readonly code: string;
  readonly exitCode: number;
  readonly message: string;
}

/** The command line cannot be read, or only the help was asked for. */
export class Misuse extends Error {
  /**
   * @param command its words, '' for none
   * @param sentence undefined: the help was shown
   */
  constructor(
    readonly command: string,
    readonly sentence: string | undefined,
  ) {
    super(sentence);
  }

  static of(command: Parsed, { exitCode, message }: Ending): Misuse {
    const sentence = message
      .replace(/^error: /, '')
      .replace(/\n\(Did you mean (.*?)\?\)/, '; did you mean $1?')
      .replaceAll('\n', ' ');
    return new Misuse(wordsOf(command), exitCode === 0 ? undefined : sentence);
  }
}

/** `positions export`. */
export function wordsOf(command: Parsed): string {
  return command.parent ? `${wordsOf(command.parent)} ${command.name()}`.trim() : '';
}

/** The command line as a whole. */
export function rootOf(command: Parsed): Parsed {
  return command.parent ? rootOf(command.parent) : command;
}

/** The commands that do something, below this one. A group does nothing. */
export function leavesOf(command: Parsed): Parsed[] {
  return command.commands.flatMap((one) => (one.commands.length === 0 ? [one] : leavesOf(one)));
}
