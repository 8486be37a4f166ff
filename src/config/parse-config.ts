import 'reflect-metadata';
import { validateSync, type ValidationError } from 'class-validator';
import { FAILSAFE_SCHEMA, load, nullCoreTag, YAMLException } from 'js-yaml';
import { StartupError } from '../domain/errors.js';
import { Secret } from '../domain/secret.js';
import { CHANNEL_SECTIONS, type AlertsConfig, type ChannelKind } from './alerts-section.js';
import type { ChannelNeeds } from './channel-secrets.js';
import { ApiAddressConfig, RowsConfig } from './command-sections.js';
import { Environment, type EnvironmentNeeds } from './environment.js';
import { EnvironmentValues, type Variables } from './environment-values.js';
import { isMapping, keysOf, READABLE, SECTION_EXPECTED, type Mapping, type SectionClass } from './keys.js';
import { Redaction } from './redaction.js';
import {
  ChimeraConfig,
  DeploymentConfig,
  ServerDatabaseConfig,
  type DatabaseConfig,
  type NetworkConfig,
} from './sections.js';
import { markVariables, namesWithin, SectionReader, type EffectiveValue } from './section-reader.js';

export interface ParseOptions {
  /** The file's name, for syntax errors. */
  readonly name?: string;
  /** Reads the file that a `NAME_FILE` variable points to. */
  readonly readText?: (path: string) => string;
}

/**
 * Every scalar stays the text that was written, so that no amount becomes a float. Only null means absent.
 */
const SCHEMA = FAILSAFE_SCHEMA.withTags(nullCoreTag);

/**
 * Reads the text of the configuration file, with the values of `${NAME}` from the environment.
 *
 * @throws StartupError with all mistakes at once, one sentence each. No sentence holds the value of a secret.
 */
export function parseConfig(
  yamlText: string,
  variables: Variables,
  { name, readText }: ParseOptions = {},
): ChimeraConfig {
  return configOf({ name, text: yamlText }, new EnvironmentValues(variables, undefined, readText));
}

const UNNAMED = 'the configuration file';

/** The configuration file. */
export interface ConfigText {
  /** Its name, for syntax errors. */
  readonly name?: string | undefined;
  readonly text: string;
}

/** As {@link parseConfig}, with values that may come from anywhere. */
export function configOf(file: ConfigText, values: EnvironmentValues): ChimeraConfig {
  return readAs(ChimeraConfig, file, new Environment(values), (environment, config) => ({
    environment: environment.secrets(needsOf(config)),
  }));
}

/** Reads the same text for a command that works with the rows of the database, and asks no node. */
export function rowsConfigOf(file: ConfigText, values: EnvironmentValues): RowsConfig {
  return readAs(RowsConfig, file, new Environment(values, 'used'), (environment, { database }) => ({
    environment: environment.databaseSecrets(isExternal(database)),
  }));
}

/** Reads the same text for a command that asks the running bot. */
export function apiAddressOf(file: ConfigText, values: EnvironmentValues): ApiAddressConfig {
  return readAs(ApiAddressConfig, file, new Environment(values, 'used'), () => ({}));
}

/** Every value of the file and of the defaults, also where the file has mistakes. */
export function effectiveValues({ name, text }: ConfigText, values: EnvironmentValues): EffectiveValue[] {
  const environment = new Environment(values);
  const reader = new SectionReader(environment, new Redaction(environment.secretValues()));
  reader.section(readYaml(text, name ?? UNNAMED), () => ChimeraConfig, '');
  return reader.effective;
}

/**
 * Reads the same text for the deployment of the contract. It needs no contract, no operator and no database.
 *
 * @param sends whether transactions are to be signed, which needs the deployer's key
 * @throws StartupError as {@link parseConfig} does.
 */
export function deploymentConfigOf(
  file: ConfigText,
  values: EnvironmentValues,
  sends: boolean,
): DeploymentConfig {
  return readAs(DeploymentConfig, file, new Environment(values), (environment, { network }) => ({
    environment: environment.deploymentSecrets({ chainId: chainIdOf(network), sends }),
  }));
}

/** The variables that the sections of a class name in the text. @throws StartupError for what is not YAML. */
export function variablesOf(type: SectionClass, { name = UNNAMED, text }: ConfigText): string[] {
  const root = readYaml(text, name);
  return [...keysOf(type).values()].flatMap(({ key }) => namesWithin(root[key]));
}

function readAs<T extends object>(
  type: SectionClass<T>,
  { name = UNNAMED, text }: ConfigText,
  environment: Environment,
  secretsOf: (environment: Environment, config: T) => Partial<T>,
): T {
  const reader = new SectionReader(environment, new Redaction(environment.secretValues()));
  const root = readYaml(text, name);
  const config = reader.section(root, () => type, '');
  const invalid = validateSync(config, { forbidUnknownValues: false }).flatMap((error) =>
    describe(error, type, '', reader),
  );
  const secrets = secretsOf(environment, config);
  const problems = [...reader.problems, ...invalid, ...environment.problems];
  if (problems.length > 0) throw new StartupError(problems);
  return deepFreeze(Object.assign(config, secrets));
}

function readYaml(text: string, name: string): Mapping {
  let root: unknown;
  try {
    root = load(markVariables(text), { schema: SCHEMA });
  } catch (error) {
    throw new StartupError([`${name}: is not valid YAML${syntaxProblem(error, text)}`]);
  }
  if (!isMapping(root)) throw new StartupError([`${name}: sections such as network and rpc were expected`]);
  return root;
}

/**
 * The place and the kind of a syntax error. YAML errors quote the source line, which may hold a secret: it is
 * left out.
 */
function syntaxProblem(error: unknown, text: string): string {
  if (!(error instanceof YAMLException)) return '';
  const where = error.mark ? ` at line ${error.mark.line + 1}, column ${error.mark.column + 1}` : '';
  const what = error.reason.replace(/"[^"]*"|!<[^>]*>/g, '…').replace(/: .*$/s, '');
  const line = text.split('\n')[error.mark?.line ?? -1] ?? '';
  return `${where}: ${what}${line.includes('\t') ? '; the line holds a tab, spaces were expected' : ''}`;
}

/**
 * The sentences of one validation error and of those nested in it. Keys are named as the file writes them.
 */
function describe(
  error: ValidationError,
  type: object | undefined,
  parent: string,
  reader: SectionReader,
): string[] {
  const { property, children = [] } = error;
  const value: unknown = error.value;
  const key = (type && keysOf(type).get(property)?.key) ?? property;
  const path = type ? (parent ? `${parent}.${key}` : key) : `${parent}[${property}]`;
  const nestedType = isMapping(value) ? value.constructor : undefined;
  const nested = children.flatMap((child) => describe(child, nestedType, path, reader));
  return reader.reported.has(path) ? nested : [...sentences(error, path, reader.shown(path)), ...nested];
}

function sentences({ constraints = {} }: ValidationError, path: string, shown?: string): string[] {
  const { nestedValidation, [READABLE]: unreadable, ...rules } = constraints;
  if (unreadable)
    return [`${path}: ${shown === undefined ? 'is missing' : `${shown} is not valid`}; ${unreadable}`];
  if (nestedValidation) return [`${path}: ${shown} is not valid; ${SECTION_EXPECTED} was expected`];
  return Object.values(rules).map((message) => `${path}: ${shown ?? 'the default'} ${message}`);
}

/** Parts that failed validation may hold anything, so each value is checked before it is used. */
function needsOf({ network, database, execution, alerts }: ChimeraConfig): EnvironmentNeeds {
  return {
    chainId: chainIdOf(network),
    live: execution.mode === 'live',
    externalDatabase: isExternal(database),
    channels: channelsOf(alerts),
  };
}

/** It may have failed validation. */
const isExternal = (database: DatabaseConfig): boolean =>
  database instanceof ServerDatabaseConfig && !database.embedded;

function channelsOf({ channels }: AlertsConfig): ChannelNeeds[] {
  const list: readonly unknown[] = Array.isArray(channels) ? channels : [];
  return list.flatMap((channel) => {
    if (!isMapping(channel)) return [];
    const { name, kind, user } = channel;
    const isKnown =
      typeof name === 'string' && typeof kind === 'string' && Object.hasOwn(CHANNEL_SECTIONS, kind);
    const logsIn = kind !== 'email' || user !== undefined;
    return isKnown ? [{ name, kind: kind as ChannelKind, logsIn }] : [];
  });
}

function chainIdOf({ chainId }: NetworkConfig): number | undefined {
  return typeof chainId === 'number' ? chainId : undefined;
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Secret) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}
