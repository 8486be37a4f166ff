import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { StartupError } from '../domain/errors.js';
import { parseDotEnv } from './dot-env.js';
import type { Variables } from './environment-values.js';
import { textOf } from './file-text.js';
import type { ConfigText } from './parse-config.js';

const DEFAULT_FILE = 'config/base.yaml';

/**
 * @param said how `option` is called in a message
 *
 * The file that the option `--config` names, or the variable CHIMERA_CONFIG (default config/base.yaml).
 *
 * @throws StartupError when there is no such file
 */
export function readConfigFile(
  option: string | undefined,
  variables: Variables,
  directory: string,
  said = '--config',
): ConfigText {
  const name = option ?? (variables.CHIMERA_CONFIG || DEFAULT_FILE);
  const text = readOptional(resolve(directory, name));
  if (text === undefined)
    throw new StartupError([
      `${option === undefined ? 'CHIMERA_CONFIG' : said}: there is no file ${name} in ${directory}; the path of a YAML file was expected, for example ${DEFAULT_FILE}`,
    ]);
  return { name, text };
}

/** A `.env` file in the directory adds variables that the process does not have, and overrides none. */
export function withDotEnv(variables: Variables, directory: string): Variables {
  const text = readOptional(resolve(directory, '.env'));
  return { ...(text === undefined ? {} : parseDotEnv(text, '.env')), ...variables };
}

function readOptional(path: string): string | undefined {
  try {
    return textOf(readFileSync(path), path);
  } catch (error) {
    if (error instanceof StartupError) throw error;
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return undefined;
    throw new StartupError([`${path}: the file cannot be read (${String(code)})`]);
  }
}
