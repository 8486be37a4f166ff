import type { HoldingAnswer, PositionAnswer, PositionsPage } from '../api/positions-answer.js';
import { parseDecimal } from '../config/index.js';
import { StartupError } from '../domain/errors.js';
import { many, ratio, tokens, usd } from '../monitoring/told/figures.js';
import type { BotClient } from './bot-client.js';
import { connect, SOURCES, type BotOptions, type BotSources } from './bot-commands.js';
import type { Terminal } from './terminal.js';

export interface ListOptions extends BotOptions {
  below?: string;
  market?: string;
  limit?: string;
}

/** No token has more. */
const DECIMALS = 36;
const USUAL_COUNT = 50;
/** The route gives no more at once. */
const MOST_AT_ONCE = 200;

/** Lists the positions near the edge that the running bot knows. */
export async function listPositions(
  options: ListOptions,
  terminal: Terminal,
  sources: BotSources = SOURCES,
): Promise<number> {
  const wanted = countOf(options.limit);
  checkFactor(options.below);
  const bot = await connect(options, sources);
  const { block, total, positions } = await ask(bot, options, wanted);
  if (options.json === true) terminal.print(JSON.stringify({ block, total, positions }, null, 2));
  else {
    for (const line of positions.map(lineOf)) terminal.print(line);
    const at = block ? ` at block ${block.number}` : ': no block has been read yet';
    const more = positions.length < total ? `, ${positions.length} of them listed` : '';
    terminal.remark(`${many(total, 'position')} below ${options.below ?? '1.05'}${at}${more}`);
  }
  return 0;
}

async function ask(bot: BotClient, { below, market }: ListOptions, wanted: number): Promise<PositionsPage> {
  const positions: PositionAnswer[] = [];
  let page: PositionsPage | undefined;
  do {
    const query = new URLSearchParams({
      limit: String(Math.min(MOST_AT_ONCE, wanted - positions.length)),
      ...(below !== undefined && { below }),
      ...(market !== undefined && { protocol: market }),
      ...(page?.next && { cursor: page.next }),
    });
    page = await bot.ask<PositionsPage>('GET', `/api/v1/positions?${query.toString()}`);
    positions.push(...page.positions);
  } while (page.next !== null && positions.length < wanted);
  return { ...page, positions };
}

/** @throws StartupError for what is no count. */
function countOf(limit: string | undefined): number {
  if (limit === undefined) return USUAL_COUNT;
  if (!/^[1-9]\d{0,4}$/.test(limit))
    throw new StartupError([`--limit: a whole number from 1 to 99999 was expected, not "${limit}"`]);
  return Number(limit);
}

/** @throws StartupError for what is no health factor. */
function checkFactor(below: string | undefined): void {
  if (below !== undefined && !/^\d{1,3}(\.\d{1,18})?$/.test(below))
    throw new StartupError([`--below: a health factor such as 1.05 was expected, not "${below}"`]);
}

function lineOf(position: PositionAnswer): string {
  const { protocol, marketId, borrower, healthFactor, collateralUsd, debtUsd } = position;
  const dollars = (amount: string): string => usd(parseDecimal(amount, 8) ?? 0n);
  const sides = `${all(position.collaterals)} (${dollars(collateralUsd)}) against ${all(position.debts)} (${dollars(debtUsd)})`;
  const health = ratio(parseDecimal(healthFactor, 18) ?? 0n);
  return `${health.padStart(8)}  ${borrower}  ${protocol}${marketId === null ? '' : ` ${marketId}`}: ${sides}`;
}

function all(holdings: readonly HoldingAnswer[]): string {
  return holdings.map(({ amountTokens, symbol }) => shown(amountTokens, symbol)).join(' + ') || 'nothing';
}

const shown = (amount: string, symbol: string): string =>
  tokens(parseDecimal(amount, DECIMALS) ?? 0n, DECIMALS, symbol);
