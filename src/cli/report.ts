import { executionAnswer, type ExecutionAnswer } from '../api/executions-answer.js';
import { csvLine } from '../books/csv.js';
import { eachDay } from '../books/each-day.js';
import { profitPage } from '../books/profit-page.js';
import { summaryOf } from '../books/report.js';
import { loadRowsConfig, type RowsConfig } from '../config/index.js';
import {
  ExecutionsRepository,
  openToRead,
  ReportsRepository,
  type Database,
  type Period,
  type RowsOf,
} from '../database/index.js';
import { Clock } from '../domain/clock.js';
import { StartupError } from '../domain/errors.js';
import { toAddress } from '../domain/hex.js';
import { formatUnits } from '../domain/money.js';
import { RemarkedEvents } from './positions-parts.js';
import type { Terminal } from './terminal.js';

export interface ReportOptions {
  readonly json?: boolean;
  readonly since: string;
  readonly until?: string;
  readonly wallet?: string;
  readonly format: string;
}

const FORMATS = ['text', 'csv', 'html'];
const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
/** Rows that are in memory at a time: a plan may be large. */
const PAGE = 500;
/** Lines of the page and of its plot. */
const MOST_DAYS = 3_660;

/** Reports from the rows of the database. A bot may run. */
export async function report(
  options: ReportOptions,
  terminal: Terminal,
  load: () => Promise<RowsConfig> = loadRowsConfig,
  clock: Clock = new Clock(),
): Promise<number> {
  const { json = false, format, wallet } = options;
  if (!FORMATS.includes(format)) throw wrong('--format', format, `one of ${FORMATS.join(', ')}`);
  if (wallet !== undefined && !/^0x[0-9a-fA-F]{40}$/.test(wallet))
    throw wrong('--wallet', wallet, 'an address');
  const period = periodOf(options, clock.wallMs());
  const config = await load();
  const { chainId, name } = config.network;
  const of: RowsOf = { chainId, wallet: wallet === undefined ? undefined : toAddress(wallet) };
  const { database, close } = await openToRead(config, new RemarkedEvents(terminal), clock);
  try {
    if (format === 'csv' && !json) await printRows(database, of, period, terminal);
    else await printFigures(database, { of, period, format, json, name }, terminal);
  } finally {
    await close();
  }
  return 0;
}

async function printFigures(
  database: Database,
  {
    of,
    period,
    format,
    json,
    name,
  }: { of: RowsOf; period: Period; format: string; json: boolean; name: string },
  terminal: Terminal,
): Promise<void> {
  const reports = new ReportsRepository(database);
  const figures = await reports.figures(of, period);
  const days = eachDay(period, await reports.days(of, period));
  const [from, to] = [period.from, period.to].map((at) => at.toISOString().slice(0, 16).replace('T', ' '));
  const summary = summaryOf(`${name} from ${from} to ${to} UTC`, figures);
  if (json) {
    const { title, text, details } = summary;
    const chain = { chainId: of.chainId, wallet: of.wallet ?? null };
    const answer = { ...chain, since: period.from, until: period.to, title, text, details, figures, days };
    terminal.print(JSON.stringify(answer, plain, 2));
  } else if (format === 'html') terminal.print(profitPage(summary, days));
  else for (const line of [summary.title, summary.text, ...summary.details]) terminal.print(line);
}

const COLUMNS: readonly (readonly [string, (row: ExecutionAnswer) => string | number | null])[] = [
  ['id', ({ id }) => id],
  ['decided', ({ createdAt }) => createdAt],
  ['settled', ({ outcome }) => outcome.settledAt],
  ['mode', ({ mode }) => mode],
  ['status', ({ status }) => status],
  ['outcome', ({ outcome }) => outcome.kind],
  ['reason', ({ reason }) => reason],
  ['protocol', ({ protocol }) => protocol],
  ['borrower', ({ borrower }) => borrower],
  ['market', ({ marketId }) => marketId],
  ['block', ({ block }) => block.number],
  ['health_factor', ({ healthFactor }) => healthFactor],
  ['debt_token', ({ debtAsset }) => debtAsset],
  ['debt_symbol', ({ debtSymbol }) => debtSymbol],
  ['debt_covered', ({ outcome }) => outcome.debtCoveredTokens],
  ['collateral_token', ({ collateralAsset }) => collateralAsset],
  ['collateral_symbol', ({ collateralSymbol }) => collateralSymbol],
  ['collateral_seized', ({ outcome }) => outcome.collateralSeizedTokens],
  ['notional_usd', ({ notionalUsd }) => notionalUsd],
  ['simulated_net_profit_usd', ({ simulatedNetProfitUsd }) => simulatedNetProfitUsd],
  ['bid_usd', ({ bidUsd }) => bidUsd],
  ['realised_profit_usd', ({ outcome }) => outcome.realisedProfitUsd],
  ['profit_token', ({ outcome }) => outcome.profitAsset],
  ['profit_symbol', ({ outcome }) => outcome.profitSymbol],
  ['realised_profit', ({ outcome }) => outcome.realisedProfitTokens],
  ['fees_eth', ({ outcome }) => (outcome.feesWei === null ? null : formatUnits(BigInt(outcome.feesWei), 18))],
  ['gas_used', ({ outcome }) => outcome.gasUsed],
  ['transaction', ({ outcome }) => outcome.txHash],
];

async function printRows(database: Database, of: RowsOf, period: Period, terminal: Terminal): Promise<void> {
  const [reports, executions] = [new ReportsRepository(database), new ExecutionsRepository(database)];
  terminal.print(csvLine(COLUMNS.map(([column]) => column)));
  let ids: string[];
  let after = '0';
  do {
    ids = await reports.ids(of, period, after, PAGE);
    for (const row of await executions.all(ids)) {
      const answer = executionAnswer(row);
      terminal.print(csvLine(COLUMNS.map(([, of_]) => of_(answer))));
    }
    after = ids.at(-1) ?? after;
  } while (ids.length === PAGE);
}

/** @throws StartupError for a time that cannot be read, or an end before its beginning. */
function periodOf({ since, until }: ReportOptions, nowMs: number): Period {
  const from = instant('--since', since, nowMs);
  const to = until === undefined ? new Date(nowMs) : instant('--until', until, nowMs);
  if (from >= to) throw wrong('--since', since, `a time before ${to.toISOString()}`);
  if (to.getTime() - from.getTime() > MOST_DAYS * UNITS.d)
    throw wrong('--since', since, `at most ${MOST_DAYS} days before ${to.toISOString()}`);
  return { from, to };
}

function instant(option: string, text: string, nowMs: number): Date {
  const [, count, unit] = /^(\d{1,5})([mhdw])$/.exec(text) ?? [];
  if (unit !== undefined) return new Date(nowMs - Number(count) * UNITS[unit as keyof typeof UNITS]);
  const isInstant = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z)?$/.test(text);
  const at = new Date(isInstant ? text : NaN);
  if (Number.isNaN(at.getTime()))
    throw wrong(
      option,
      text,
      '30m, 24h, 7d or 2w, a day (2026-01-31) or an instant in UTC (2026-01-31T12:00Z)',
    );
  return at;
}

function wrong(option: string, text: string, wanted: string): StartupError {
  return new StartupError([
    `${option}: ${JSON.stringify(text.slice(0, 60))} was given; ${wanted} was expected`,
  ]);
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
