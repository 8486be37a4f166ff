import { wordsOf, type Parsed } from './misuse.js';

/** A command as it is registered. */
export interface RegisteredCommand {
  /** `positions export`. */
  readonly words: string;
  readonly about: string;
  /** What stands behind the words, for instance `[file]`. */
  readonly takes: readonly string[];
  readonly options: readonly RegisteredOption[];
}

export interface RegisteredOption {
  readonly flags: string;
  /** `--file`. */
  readonly name: string;
  readonly about: string;
}

export function registered(command: Parsed): RegisteredCommand {
  return {
    words: wordsOf(command),
    about: command.description(),
    takes: command.registeredArguments.map((one) => (one.required ? `<${one.name()}>` : `[${one.name()}]`)),
    options: command.options.map(({ flags, long, description: about }) => ({
      flags,
      name: long ?? flags,
      about,
    })),
  };
}
