import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { StartupError } from '../domain/errors.js';
import { parseDotEnv } from './dot-env.js';
import type { Variables } from './environment.js';
import { textOf } from './file-text.js';
import { parseConfig, parseDeploymentConfig } from './parse-config.js';
import type { ChimeraConfig, DeploymentConfig } from './sections.js';

const DEFAULT_FILE = 'config/base.yaml';

/**
 * Reads the file that CHIMERA_CONFIG names (default config/base.yaml), with the environment of the process. A
 * `.env` file in the working directory adds variables that the process does not have, and overrides none.
 *
 * @throws StartupError with all mistakes at once, one sentence each.
 */
export function loadConfig(
  variables: Variables = process.env,
  directory: string = process.cwd(),
): ChimeraConfig {
  const all = withDotEnv(variables, directory);
  const { name, text } = readFile(undefined, all, directory);
  return parseConfig(text, all, { name });
}

export interface DeploymentLoadOptions {
  /** The file that `--config` names. undefined: the file that the bot would read. */
  readonly file?: string | undefined;
  /** Whether transactions are to be signed, which needs the deployer's key. */
  readonly sends: boolean;
}

/**
 * Reads the same file and environment for the deployment of the contract. It needs no contract, no database
 * and no operator.
 *
 * @throws StartupError with all mistakes at once, one sentence each.
 */
export function loadDeploymentConfig(
  { file, sends }: DeploymentLoadOptions,
  variables: Variables = process.env,
  directory: string = process.cwd(),
): DeploymentConfig {
  const all = withDotEnv(variables, directory);
  const { name, text } = readFile(file, all, directory);
  return parseDeploymentConfig(text, all, { name, sends });
}

function readFile(
  option: string | undefined,
  variables: Variables,
  directory: string,
): { name: string; text: string } {
  const name = option ?? (variables.CHIMERA_CONFIG || DEFAULT_FILE);
  const text = readOptional(resolve(directory, name));
  if (text === undefined)
    throw new StartupError([
      `${option === undefined ? 'CHIMERA_CONFIG' : '--config'}: there is no file ${name} in ${directory}; the path of a YAML file was expected, for example ${DEFAULT_FILE}`,
    ]);
  return { name, text };
}

function withDotEnv(variables: Variables, directory: string): Variables {
  return { ...readDotEnv(resolve(directory, '.env')), ...variables };
}

function readDotEnv(path: string): Variables {
  const text = readOptional(path);
  return text === undefined ? {} : parseDotEnv(text, '.env');
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
