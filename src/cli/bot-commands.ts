import type { SafetyAnswer, StatusAnswer } from '../api/status-answer.js';
import { loadApiAddress, readVariable, type ApiAddressConfig } from '../config/index.js';
import { StartupError } from '../domain/errors.js';
import { BotClient, botUrl } from './bot-client.js';
import { statusLines } from './status-lines.js';
import type { Terminal } from './terminal.js';

export interface BotOptions {
  url?: string;
  json?: boolean;
}

export interface SteerOptions extends BotOptions {
  reason?: string;
  yes?: boolean;
}

/** Where the address and the key come from. */
export interface BotSources {
  readonly load: () => Promise<ApiAddressConfig>;
  readonly read: (name: string) => string | undefined;
}

export const SOURCES: BotSources = { load: loadApiAddress, read: readVariable };

const KEY = 'CHIMERA_API_KEY';

/** The API of the running bot, with the key of the environment. @throws StartupError without a key */
export async function connect({ url }: BotOptions, { load, read }: BotSources): Promise<BotClient> {
  const at = await botUrl(url, load);
  const key = read(KEY);
  if (!key)
    throw new StartupError([
      `${KEY}: the environment variable has no value; set it (or ${KEY}_FILE) to a key of which api.keys has the SHA-256`,
    ]);
  return new BotClient(at, key);
}

export async function showStatus(
  options: BotOptions,
  terminal: Terminal,
  sources: BotSources = SOURCES,
): Promise<number> {
  const status = await (await connect(options, sources)).ask<StatusAnswer>('GET', '/api/v1/status');
  if (options.json === true) terminal.print(JSON.stringify(status, null, 2));
  else for (const line of statusLines(status, Date.now())) terminal.print(line);
  return 0;
}

/** @throws StartupError without a reason, or where there is no way to confirm */
export function reasonOf({ reason, yes = false }: SteerOptions, terminal: Terminal): string {
  if (reason === undefined || reason.trim() === '')
    throw new StartupError(['--reason: a text of 1 to 500 characters was expected']);
  if (!yes && !terminal.ask)
    throw new StartupError(['--yes: it was expected, because there is no terminal to confirm on']);
  return reason;
}

/** Whether the person at the terminal agrees. `--yes` agrees without a question. */
export async function isAgreed(
  { yes = false }: SteerOptions,
  terminal: Terminal,
  question: () => string | Promise<string>,
): Promise<boolean> {
  if (yes || !terminal.ask) return true;
  const answer = await terminal.ask(`${await question()} [y/N] `);
  if (/^y(es)?$/i.test(answer?.trim() ?? '')) return true;
  terminal.remark('nothing was done');
  return false;
}

/** Halts or resumes the bot, after a confirmation. */
export async function steer(
  action: 'halt' | 'resume',
  options: SteerOptions,
  terminal: Terminal,
  sources: BotSources = SOURCES,
): Promise<number> {
  const reason = reasonOf(options, terminal);
  const bot = await connect(options, sources);
  const question = async (): Promise<string> => {
    const { network, mode, safety } = await bot.ask<StatusAnswer>('GET', '/api/v1/status');
    const what = `the ${mode} bot of ${network.name} (chain ${network.chainId}), which is ${safety.state}`;
    return `${action === 'halt' ? 'Halt' : 'Resume'} ${what}?`;
  };
  if (!(await isAgreed(options, terminal, question))) return 1;
  const answer = await bot.ask<Steered>('POST', `/api/v1/safety/${action}`, { reason });
  if (options.json === true) terminal.print(JSON.stringify(answer, null, 2));
  else for (const line of steeredLines(answer)) terminal.print(line);
  return 0;
}

/** The answer of a resume says what becomes of the transactions in flight. */
type Steered = SafetyAnswer & {
  readonly inFlight?: { readonly sentAgain: number; readonly cancelled: number } | null;
};

function steeredLines({ state, reason, actor, since, inFlight }: Steered): string[] {
  const lines = [`${state} since ${since}, by ${actor}: ${reason}`];
  if (inFlight)
    lines.push(
      `of the transactions in flight ${inFlight.sentAgain} are sent again, ${inFlight.cancelled} are cancelled`,
    );
  return lines;
}
