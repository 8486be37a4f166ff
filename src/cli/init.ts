import { existsSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigSource, parseConfig, type ConfigSourceOptions } from '../config/index.js';
import { messageOf, StartupError } from '../domain/errors.js';
import { choicesOf, type ChoiceOptions } from './init-choices.js';
import { fileText, shippedFiles, type InitChoices } from './init-file.js';
import type { Terminal } from './terminal.js';

export interface InitOptions extends ChoiceOptions {
  file?: string;
  force?: boolean;
  json?: boolean;
}

/** Writes a configuration that is valid, and a dry run. @returns 1 when the input ended early */
export async function init(
  options: InitOptions,
  terminal: Terminal,
  from: Pick<ConfigSourceOptions, 'directory' | 'variables'> = {},
): Promise<number> {
  const { file = 'chimera.yaml', force = false, json = false } = options;
  const path = resolve(from.directory ?? '.', file);
  if (existsSync(path) && !force)
    throw new StartupError([`--file: there is a file ${file} already; --force overwrites it`]);
  const choices = await choicesOf(options, shippedFiles(), terminal);
  if (!choices) {
    terminal.remark('nothing was written');
    return 1;
  }
  const text = fileText(choices);
  const mistakes = problemsOf(() => parseConfig(text, {}, { name: file })).filter(isMistake);
  if (mistakes.length > 0) throw new StartupError(mistakes);
  write(path, text, file, force);
  const missing = await missingOf(file, choices, from);
  const next = nextSteps(file);
  if (json) terminal.print(JSON.stringify(answerOf(file, choices, missing, next), null, 2));
  else for (const line of lines(file, choices, missing, next)) terminal.print(line);
  return 0;
}

/** What a variable without a value leaves open is no mistake of the file. */
const isMistake = (problem: string): boolean => !problem.includes('has no value');

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
    return [];
  } catch (error) {
    if (error instanceof StartupError) return error.problems;
    throw error;
  }
}

function write(path: string, text: string, file: string, force: boolean): void {
  try {
    writeFileSync(path, text, { flag: force ? 'w' : 'wx' });
  } catch (error) {
    throw new StartupError([`--file ${file}: it cannot be written (${messageOf(error)})`]);
  }
}

/** What has to be set before the file is complete, as `config validate` says it. */
async function missingOf(
  file: string,
  { files }: InitChoices,
  from: Pick<ConfigSourceOptions, 'directory' | 'variables'>,
): Promise<readonly string[]> {
  const fixed = Object.fromEntries(Object.entries(files).map(([name, path]) => [`${name}_FILE`, path]));
  try {
    await ConfigSource.load({ ...from, file, fixed });
    return [];
  } catch (error) {
    if (error instanceof StartupError) return error.problems;
    throw error;
  }
}

function nextSteps(file: string): string[] {
  return [
    `npx chimera config validate ${file}`,
    `npx chimera watch --config ${file}`,
    `npm run deploy:contract -- --config ${file} --owner 0x… --treasury 0x…`,
    'npx chimera migrate',
    'npx chimera doctor',
    'npm start',
  ];
}

const TOLD: readonly string[] = [
  'says what is still missing',
  'shows what the bot would do; it needs nothing but the node',
  'says what your contract would cost; --send deploys it and prints its address',
  'makes the tables of the database',
  'asks about everything that the bot needs, also the contract',
  'starts the bot: a dry run',
];

function lines(
  file: string,
  { files, shipped, markets, database }: InitChoices,
  missing: readonly string[],
  next: readonly string[],
): string[] {
  const variables = Object.entries(files).map(([name, path]) => `${name}_FILE=${path}`);
  return [
    `${file} is written: ${shipped.chain} (chain ${shipped.chainId}), markets ${markets.join(', ')}, database ${database}.`,
    'It is a dry run: the bot does everything except signing and sending.',
    '',
    'Put these into .env (.env.example explains each):',
    ...[`CHIMERA_CONFIG=${file}`, ...variables].map((line) => `  ${line}`),
    ...(missing.length > 0 ? ['', 'Still missing:', ...missing.map((one) => `  ${one}`)] : []),
    '',
    'Then (docs/getting-started.md):',
    ...next.flatMap((one, index) => [`  ${one}`, `    ${TOLD[index] ?? ''}`]),
  ];
}

function answerOf(
  file: string,
  { shipped, rpc, backup, files, markets, database, alerts }: InitChoices,
  missing: readonly string[],
  next: readonly string[],
): object {
  const { chain, chainId } = shipped;
  const variables = { rpc, backup };
  return {
    file,
    chain,
    chainId,
    mode: 'dry-run',
    variables,
    files,
    markets,
    database,
    alerts,
    missing,
    next,
  };
}
