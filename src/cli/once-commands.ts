import type { ConfigSourceOptions } from '../config/index.js';
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
  const result = await once({ from: { ...from, file }, live, withinMs, json }, terminal);
  return EXIT_CODES[result];
}
