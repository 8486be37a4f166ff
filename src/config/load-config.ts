import { readConfigFile, withDotEnv } from './config-file.js';
import { ConfigSource, type ConfigSourceOptions } from './config-source.js';
import { fetchedValues, type FetchSecrets } from './fetched-values.js';
import { ApiAddressConfig, RowsConfig } from './command-sections.js';
import { DATABASE_SECRETS } from './environment.js';
import type { EnvironmentValues, Variables } from './environment-values.js';
import type { SectionClass } from './keys.js';
import {
  apiAddressOf,
  deploymentConfigOf,
  rowsConfigOf,
  variablesOf,
  type ConfigText,
} from './parse-config.js';
import type { ChimeraConfig, DeploymentConfig } from './sections.js';

/**
 * The configuration of {@link ConfigSource}, for who does not read it again.
 *
 * @throws StartupError with all mistakes at once, one sentence each.
 */
export async function loadConfig(options?: ConfigSourceOptions): Promise<ChimeraConfig> {
  return (await ConfigSource.load(options)).config;
}

/** As those of {@link loadConfig}. */
type PartialLoadOptions = Pick<ConfigSourceOptions, 'variables' | 'directory' | 'fetch'>;

/**
 * What works with the rows of the database, and asks no node. Mistakes elsewhere in the file do not matter.
 *
 * @throws StartupError with all mistakes at once, one sentence each.
 */
export function loadRowsConfig(options?: PartialLoadOptions): Promise<RowsConfig> {
  return loadPart(RowsConfig, rowsConfigOf, DATABASE_SECRETS, options);
}

/**
 * Where the API of the bot is. Mistakes elsewhere in the file do not matter.
 *
 * @throws StartupError with all mistakes at once, one sentence each.
 */
export function loadApiAddress(options?: PartialLoadOptions): Promise<ApiAddressConfig> {
  return loadPart(ApiAddressConfig, apiAddressOf, [], options);
}

async function loadPart<Part extends object>(
  type: SectionClass<Part>,
  read: (file: ConfigText, values: EnvironmentValues) => Part,
  secrets: readonly string[],
  { variables = process.env, directory = process.cwd(), fetch }: PartialLoadOptions = {},
): Promise<Part> {
  const all = withDotEnv(variables, directory);
  const file = readConfigFile(undefined, all, directory);
  const needed = [...secrets, ...variablesOf(type, file)];
  return read(file, await fetchedValues(all, file.text, (name) => needed.includes(name), fetch));
}

export interface DeploymentLoadOptions {
  /** The file that `--config` names. undefined: the file that the bot would read. */
  readonly file?: string | undefined;
  /** Whether transactions are to be signed, which needs the deployer's key. */
  readonly sends: boolean;
}

/** What the deployment reads beside the variables that its file names. */
const KEYS_OF_DEPLOYMENT = ['DEPLOYER_PRIVATE_KEY', 'OPERATOR_PRIVATE_KEY'];

/**
 * Reads the same file and environment for the deployment of the contract. It needs no contract, no database
 * and no operator.
 *
 * @throws StartupError with all mistakes at once, one sentence each.
 */
export async function loadDeploymentConfig(
  { file: option, sends }: DeploymentLoadOptions,
  variables: Variables = process.env,
  directory: string = process.cwd(),
  fetch?: FetchSecrets,
): Promise<DeploymentConfig> {
  const all = withDotEnv(variables, directory);
  const file = readConfigFile(option, all, directory);
  const isNeeded = (name: string): boolean =>
    KEYS_OF_DEPLOYMENT.includes(name) || file.text.includes(`\${${name}}`);
  return deploymentConfigOf(file, await fetchedValues(all, file.text, isNeeded, fetch), sends);
}
