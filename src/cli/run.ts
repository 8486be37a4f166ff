import { inspect } from 'node:util';
import type { INestApplicationContext } from '@nestjs/common';
import { CommandFactory, CommandRunnerService } from 'nest-commander';
import { VERSION } from '../domain/version.js';
import { CliModule } from './cli.module.js';
import { leavesOf, Misuse, wordsOf } from './misuse.js';
import { Outcome, type Terminal } from './terminal.js';
import { Program } from './program.js';
import { registered, type RegisteredCommand } from './registered.js';

/** @returns the exit code: 0, or 1 after a problem, with one sentence for each. */
export async function run(words: readonly string[], terminal: Terminal): Promise<number> {
  const app = await open(terminal);
  try {
    const all = words.length === 0 ? ['--help'] : words;
    await app.get(CommandRunnerService).run(['node', 'chimera', ...all]);
    return app.get(Outcome, { strict: false }).exitCode;
  } catch (error) {
    if (!(error instanceof Misuse)) {
      terminal.remark(`chimera: ${inspect(error)}`);
      return 1;
    }
    const { command, sentence } = error;
    if (sentence === undefined) return 0;
    const name = `chimera ${command}`.trim();
    terminal.remark(`${name}: ${sentence} (npx ${name} --help)`);
    return 1;
  } finally {
    await app.close();
  }
}

/** Every command, in the order of its words. */
export async function registeredCommands(): Promise<RegisteredCommand[]> {
  const app = await open({ print: () => undefined, remark: () => undefined });
  const leaves = leavesOf(app.get(Program, { strict: false }).root);
  await app.close();
  return leaves.map(registered).sort((a, b) => (a.words < b.words ? -1 : 1));
}

function open(terminal: Terminal): Promise<INestApplicationContext> {
  return CommandFactory.createWithoutRunning(CliModule.on(terminal), {
    logger: false,
    version: VERSION,
    abortOnError: false,
    serviceErrorHandler: (error) => {
      throw error;
    },
    // The sentence of a mistake is written once, by run().
    outputConfiguration: {
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: () => undefined,
    },
    helpConfiguration: {
      visibleCommands: leavesOf,
      subcommandTerm: (command) => [wordsOf(command), registered(command).takes.join(' ')].join(' ').trim(),
    },
  });
}
