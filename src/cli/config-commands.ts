import { configSchema, ConfigSource, type ConfigSourceOptions } from '../config/index.js';
import { StartupError } from '../domain/errors.js';
import type { Terminal } from './terminal.js';

/** Prints every value in use. A configuration with mistakes has none: they are said instead. */
export async function dumpConfig(
  { json = false }: { json?: boolean },
  terminal: Terminal,
  from: ConfigSourceOptions = {},
): Promise<number> {
  const { source } = await ConfigSource.load(from);
  const values = source.effective();
  if (json) {
    terminal.print(JSON.stringify(values, null, 2));
    return 0;
  }
  const width = Math.max(...values.map(({ key }) => key.length));
  for (const { key, value, source: origin } of values)
    terminal.print(`${key.padEnd(width)}  ${value === '' ? '(empty)' : value}  (${origin})`);
  return 0;
}

/** @returns 0, or 1 with one sentence for each mistake. */
export async function validateConfig(
  { json = false, file }: { json?: boolean; file?: string | undefined },
  terminal: Terminal,
  from: ConfigSourceOptions = {},
): Promise<number> {
  try {
    const { source } = await ConfigSource.load({ ...from, file });
    if (json) terminal.print(JSON.stringify({ file: source.fileName, valid: true, problems: [] }, null, 2));
    else terminal.print(`${source.fileName}: the configuration is valid`);
    return 0;
  } catch (error) {
    if (!json || !(error instanceof StartupError)) throw error;
    terminal.print(JSON.stringify({ file: file ?? null, valid: false, problems: error.problems }, null, 2));
    return 1;
  }
}

export function printSchema(terminal: Terminal): number {
  terminal.print(JSON.stringify(configSchema(), null, 2));
  return 0;
}
