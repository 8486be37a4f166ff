import { StartupError } from '../domain/errors.js';
import { CHANNELS, DATABASES, type InitChoices, type ShippedFile } from './init-file.js';
import type { Terminal } from './terminal.js';

export interface ChoiceOptions {
  chain?: string;
  rpcEnv?: string;
  rpcFile?: string;
  backupEnv?: string;
  markets?: string;
  database?: string;
  alerts?: string;
  chat?: string;
}

/** Where the URL of a node is: never the URL itself. */
interface Place {
  readonly variable: string;
  readonly file?: string | undefined;
}

/** What a text is read as. A problem continues "…: ". */
type Read<T> = { readonly value: T } | { readonly problem: string };

const PRIMARY = 'RPC_PRIMARY_HTTP';
const BACKUP = 'RPC_BACKUP_HTTP';
const MOST_TRIES = 3;

/**
 * What the file shall say: by the options, and on a terminal by questions for those that are not given. Off a
 * terminal nothing waits.
 *
 * @returns undefined when the input ended before the last question
 * @throws StartupError with one sentence for each option that is missing or wrong
 */
export async function choicesOf(
  options: ChoiceOptions,
  shipped: readonly ShippedFile[],
  { ask, remark }: Pick<Terminal, 'ask' | 'remark'>,
): Promise<InitChoices | undefined> {
  const questions = new Questions(ask, remark);
  const chains = shipped.map(({ chain, chainId }) => `${chain} (${chainId})`).join(', ');
  const missing = [options.chain === undefined && '--chain', options.database === undefined && '--database'];
  if (!ask && missing.some((one) => one !== false))
    throw new StartupError([
      `${missing.filter((one) => one !== false).join(' and ')}: expected, because there is no terminal to ask on; chains are ${chains}, databases ${DATABASES.join(' and ')}`,
    ]);
  const chosen = await questions.read(
    '--chain',
    options.chain,
    `Chain, by name or number: ${chains}`,
    undefined,
    (text) => chainOf(text, shipped, chains),
  );
  if (!chosen) return undefined;
  if (options.rpcEnv !== undefined && options.rpcFile !== undefined)
    throw new StartupError(['--rpc-file: given beside --rpc-env; one of them was expected']);
  const rpc = await questions.read(
    options.rpcFile === undefined ? '--rpc-env' : '--rpc-file',
    options.rpcFile ?? options.rpcEnv,
    'Environment variable with the URL of your node, or ./path of a file that holds it',
    PRIMARY,
    (text) => placeOf(text, PRIMARY, options.rpcFile !== undefined),
  );
  const backup =
    rpc &&
    (await questions.read(
      '--backup-env',
      options.backupEnv,
      'The same of a second node; it may stay without a value',
      BACKUP,
      (text) => placeOf(text, BACKUP, false),
    ));
  const names = chosen.markets.join(',');
  const markets =
    backup &&
    (await questions.read('--markets', options.markets, `Markets, of ${names}`, names, (text) =>
      marketsOf(text, chosen),
    ));
  const database =
    markets &&
    (await questions.read(
      '--database',
      options.database,
      'Database: embedded (nothing to install), or own (a PostgreSQL server of yours)',
      'embedded',
      (text) => oneOf(text, DATABASES),
    ));
  const alerts =
    database &&
    (await questions.read('--alerts', options.alerts, `Alerts over ${CHANNELS.join(', ')}`, 'none', (text) =>
      oneOf(text, CHANNELS),
    ));
  if (!alerts) return undefined;
  const chat =
    alerts === 'telegram'
      ? await questions.read('--chat', options.chat, 'Id of the chat in Telegram', undefined, chatOf)
      : '';
  if (chat === undefined) return undefined;
  const files = [rpc, backup].flatMap(({ variable, file }) => (file === undefined ? [] : [[variable, file]]));
  return {
    shipped: chosen,
    rpc: rpc.variable,
    backup: backup.variable,
    files: Object.fromEntries(files) as Record<string, string>,
    ...{ markets, database, alerts, chat },
  };
}

class Questions {
  constructor(
    private readonly ask: Terminal['ask'],
    private readonly remark: Terminal['remark'],
  ) {}

  /**
   * @param preset what an empty answer stands for; undefined: there has to be one
   * @returns undefined when the input has ended
   */
  async read<T>(
    option: string,
    given: string | undefined,
    question: string,
    preset: string | undefined,
    parse: (text: string) => Read<T>,
  ): Promise<T | undefined> {
    const taken = given ?? (this.ask ? undefined : preset);
    if (taken !== undefined || !this.ask) {
      const read = parse(taken ?? '');
      if ('value' in read) return read.value;
      throw new StartupError([`${option}: ${read.problem}`]);
    }
    let problem = '';
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const answer = await this.ask(`${question}${preset === undefined ? '' : ` [${preset}]`}: `);
      if (answer === undefined) return undefined;
      const read = parse(answer.trim() || (preset ?? ''));
      if ('value' in read) return read.value;
      ({ problem } = read);
      this.remark(problem);
    }
    throw new StartupError([`${option}: ${problem}`]);
  }
}

function chainOf(text: string, shipped: readonly ShippedFile[], chains: string): Read<ShippedFile> {
  const value = shipped.find(
    ({ chain, chainId }) => chain === text.toLowerCase() || String(chainId) === text,
  );
  return value ? { value } : { problem: `one of ${chains} was expected, not "${text}"` };
}

/** A text that could be a URL is never shown again: it may hold a key. */
function placeOf(text: string, variable: string, isFile: boolean): Read<Place> {
  if (text.includes('://'))
    return {
      problem:
        'this is a URL, which may hold a key; the name of the variable, or the path of the file, that holds it was expected',
    };
  if (isFile || /[/\\]/.test(text))
    return text === '' ? { problem: 'the path of a file was expected' } : { value: { variable, file: text } };
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(text)) return { value: { variable: text } };
  return { problem: `the name of an environment variable was expected, for example ${variable}` };
}

function marketsOf(text: string, { chain, markets }: ShippedFile): Read<readonly string[]> {
  const wanted = text.split(/[ ,]+/).filter((one) => one !== '');
  const unknown = wanted.find((one) => !markets.includes(one));
  if (wanted.length > 0 && unknown === undefined) return { value: wanted };
  return {
    problem: `some of ${markets.join(', ')} were expected, the markets of ${chain}, not "${unknown ?? text}"`,
  };
}

function oneOf<T extends string>(text: string, all: readonly T[]): Read<T> {
  const value = all.find((one) => one === text.toLowerCase());
  return value ? { value } : { problem: `one of ${all.join(', ')} was expected, not "${text}"` };
}

function chatOf(text: string): Read<string> {
  return /^(-?\d{1,20}|@[A-Za-z][A-Za-z0-9_]{4,31})$/.test(text)
    ? { value: text }
    : { problem: 'the id of a chat, or @name of a public channel was expected' };
}
