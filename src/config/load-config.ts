import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { StartupError } from '../domain/errors.js';
import type { Variables } from './environment.js';
import { parseConfig } from './parse-config.js';
import type { ChimeraConfig } from './sections.js';

const DEFAULT_FILE = 'config/base.yaml';

/**
 * Reads the file that CHIMERA_CONFIG names (default config/base.yaml) with the process environment. A `.env` file in
 * the working directory adds variables that the process does not have; it never overrides one.
 *
 * @throws StartupError with every mistake at once, one sentence each.
 */
export function loadConfig(
  variables: Variables = process.env,
  directory: string = process.cwd(),
): ChimeraConfig {
  const all: Variables = { ...readDotEnv(resolve(directory, '.env')), ...variables };
  const name = all.CHIMERA_CONFIG || DEFAULT_FILE;
  const text = readOptional(resolve(directory, name));
  if (text === undefined)
    throw new StartupError([
      `CHIMERA_CONFIG: there is no file ${name} in ${directory}; the path of a YAML file was expected, for example ${DEFAULT_FILE}`,
    ]);
  return parseConfig(text, all, { name });
}

function readDotEnv(path: string): Variables {
  const text = readOptional(path);
  return text === undefined ? {} : parseEnv(text);
}

function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return undefined;
    throw new StartupError([`${path}: the file cannot be read (${String(code)})`]);
  }
}
