import type { ChimeraConfig, ConfigSourceOptions } from '../config/index.js';
import { signingBot } from '../database/index.js';
import { StartupError } from '../domain/errors.js';
import { EXIT_CODES, once } from '../watch/once.js';
import { millisecondsOf } from '../watch/run-time.js';
import type { Terminal } from './terminal.js';

export interface OnceCommandOptions {
  readonly config?: string;
  readonly live?: boolean;
  readonly within?: string;
  readonly json?: boolean;
}

/** @returns the exit code of what came of it. */
export async function lookOnce(
  { config: file, live = false, within = '10m', json = false }: OnceCommandOptions,
  terminal: Terminal,
  from: ConfigSourceOptions = {},
): Promise<number> {
  const withinMs = millisecondsOf(within, '--within');
  const result = await once({ from: { ...from, file }, live, withinMs, json, admit }, terminal);
  return EXIT_CODES[result];
}

/** Processes of a chain share its safety state: what a dry run finds wrong would halt the bot that signs. */
async function admit(config: ChimeraConfig): Promise<void> {
  if (config.execution.mode === 'live') return;
  const holder = await signingBot(config);
  if (holder === undefined) return;
  throw new StartupError([
    `${holder} signs with this database, and a dry run would share its safety state: give this one a database of its own, or ask the bot by npx chimera status`,
  ]);
}
