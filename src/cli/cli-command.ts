import { inspect } from 'node:util';
import { Inject } from '@nestjs/common';
import { CommandRunner, Option } from 'nest-commander';
import { ChimeraError, StartupError } from '../domain/errors.js';
import { Misuse, wordsOf, type Parsed } from './misuse.js';
import { Outcome, TERMINAL, type Terminal } from './terminal.js';

/**
 * A command of `npx chimera`. It is built at every call, so its file imports nothing heavy: what the command
 * needs is loaded in {@link CliCommand.work}.
 */
export abstract class CliCommand extends CommandRunner {
  @Inject(TERMINAL)
  protected readonly terminal!: Terminal;

  @Inject(Outcome)
  private readonly outcome!: Outcome;

  /**
   * @param options those that the class declares with Option
   * @returns the exit code
   * @throws StartupError for problems that are the caller's.
   */
  protected abstract work(options: object, words: readonly string[]): Promise<number>;

  @Option({ flags: '--json', description: 'print JSON' })
  protected json(): true {
    return true;
  }

  override setCommand(command: Parsed): this {
    command.allowExcessArguments(false);
    return super.setCommand(refusing(command));
  }

  override async run(words: string[], options: object = {}): Promise<void> {
    try {
      this.outcome.exitCode = await this.work(options, words);
    } catch (error) {
      this.outcome.exitCode = 1;
      const problems =
        error instanceof StartupError
          ? error.problems
          : [error instanceof ChimeraError ? error.message : inspect(error)];
      for (const problem of problems) this.terminal.remark(`chimera ${wordsOf(this.command)}: ${problem}`);
    }
  }
}

/** The first word of commands of two words. */
export abstract class CommandGroup extends CommandRunner {
  override setCommand(command: Parsed): this {
    return super.setCommand(refusing(command));
  }

  override run([word]: string[]): Promise<void> {
    const names = this.command.commands.map((command) => command.name()).join(', ');
    throw new Misuse(
      wordsOf(this.command),
      `${word === undefined ? 'a second word is missing' : `unknown command '${word}'`}; one of ${names} was expected`,
    );
  }
}

function refusing(command: Parsed): Parsed {
  return command.exitOverride((error) => {
    throw Misuse.of(command, error);
  });
}
