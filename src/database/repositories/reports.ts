import { Injectable } from '@nestjs/common';
import type { Address } from '../../domain/hex.js';
import type { Outcome } from '../../domain/outcome.js';
import { safeInteger, usd8FromText } from '../columns.js';
import { Database, type Row } from '../database.js';
import type { ExecutionStatus } from '../entities/execution.js';
import type { LeaseKey } from './leases.js';

export type ReportKind = 'day' | 'week';

/** From the first instant to the last, which is not in it any more. */
export interface Period {
  readonly from: Date;
  readonly to: Date;
}

/** What came of one market with one outcome. USD with 8 decimals. */
export interface OutcomeFigures {
  readonly protocol: string;
  readonly outcome: Outcome;
  readonly count: number;
  /** After all fees; negative when only fees were paid. */
  readonly profitUsd8: bigint;
  /** As simulated, after all costs. */
  readonly simulatedUsd8: bigint;
  readonly notionalUsd8: bigint;
  readonly feesWei: bigint;
  /** The costs as they were planned. */
  readonly gasUsd8: bigint;
  readonly l1Usd8: bigint;
  readonly operatorUsd8: bigint;
  readonly bidUsd8: bigint;
}

/** How often something was the reason. */
export interface Counted {
  readonly what: string;
  readonly count: number;
}

/** The rows of a period, summed up. */
export interface PeriodFigures {
  readonly outcomes: readonly OutcomeFigures[];
  /** Reasons of what was not won, each with its outcome, the most frequent first. */
  readonly lostBecause: readonly Counted[];
  /** Senders that were first, the most frequent first. */
  readonly rivals: readonly Counted[];
  /** Reasons of plans that were left, the most frequent first. */
  readonly rejections: readonly Counted[];
  /** Plans of a dry run, and what they would have brought. */
  readonly dryRuns: { readonly count: number; readonly simulatedUsd8: bigint };
}

/** Whose rows: of one wallet, or of all wallets of the chain. */
export interface RowsOf {
  readonly chainId: number;
  readonly wallet?: Address | undefined;
}

/** What one day brought, UTC. USD with 8 decimals. */
export interface DayFigures {
  /** YYYY-MM-DD. */
  readonly day: string;
  readonly won: number;
  /** Of what was won, after all costs, as simulated, and as the receipts say. */
  readonly simulatedUsd8: bigint;
  readonly realisedUsd8: bigint;
  /** Paid for transactions that won nothing; not negative. */
  readonly lostFeesUsd8: bigint;
  /** Plans of a dry run, and what they would have brought. */
  readonly dryRuns: number;
  readonly dryRunUsd8: bigint;
}

/** What some seconds brought. USD with 8 decimals. */
export interface StepFigures {
  /** Its end, exclusive. */
  readonly until: Date;
  /** Of what was won, and of the plans of a dry run. */
  readonly simulatedUsd8: bigint;
  readonly realisedUsd8: bigint;
  readonly lostFeesUsd8: bigint;
}

/** From the arrival of a head to the hand-over of a transaction. */
export interface SendTimes {
  /** Microseconds; undefined when nothing was sent. */
  readonly p50Us: number | undefined;
  readonly p99Us: number | undefined;
  readonly sample: number;
}

const ITS = `chain_id = $1 AND ($2::text IS NULL OR wallet = $2)`;
const SETTLED = `FROM executions WHERE outcome IS NOT NULL AND ${ITS} AND settled_at >= $3 AND settled_at < $4`;
const DECIDED = `FROM executions WHERE ${ITS} AND created_at >= $3 AND created_at < $4`;
/** Of rows from before a dry run counted, all. */
const COUNTED = `(dry_run_day IS NOT NULL OR id < coalesce(
  (SELECT min(id) FROM executions WHERE chain_id = $1 AND dry_run_day IS NOT NULL), 9223372036854775807))`;
/** What a dry run has counted: no later plan of the same position. */
const DRY = `${DECIDED} AND status = 'dry-run' AND ${COUNTED}`;
/** A row for each execution that was settled, and for each plan of a dry run. */
const EACH = `SELECT settled_at AS at, (outcome = 'won')::int AS won,
    CASE WHEN outcome = 'won' THEN coalesce(simulated_net_profit_usd, 0) ELSE 0 END AS simulated,
    CASE WHEN outcome = 'won' THEN coalesce(realised_profit_usd, 0) ELSE 0 END AS realised,
    CASE WHEN outcome = 'won' THEN 0 ELSE -coalesce(realised_profit_usd, 0) END AS lost,
    0 AS dry, 0 AS would ${SETTLED}
  UNION ALL
  SELECT created_at, 0, 0, 0, 0, 1, coalesce(simulated_net_profit_usd, 0) ${DRY}`;
const dayOf = (column: string): string => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD')`;
const sum = (column: string): string => `coalesce(sum(${column}), 0)`;

/**
 *  Reports of days and weeks: their figures, and which were made. Every method throws as {@link
 * Database.query} does.
 */
@Injectable()
export class ReportsRepository {
  constructor(private readonly database: Database) {}

  async figures(of: RowsOf, period: Period): Promise<PeriodFigures> {
    const ask = (sql: string): Promise<readonly Row[]> => this.ask(sql, of, period);
    const counted = async (sql: string): Promise<Counted[]> =>
      (await ask(`${sql} GROUP BY 1 ORDER BY 2 DESC, 1`)).map(({ what, n }) => ({
        what: String(what),
        count: safeInteger(n),
      }));
    const outcomes = await ask(
      `SELECT protocol, outcome, count(*) AS n, ${sum('realised_profit_usd')} AS profit,
         ${sum('simulated_net_profit_usd')} AS simulated, ${sum('notional_usd')} AS notional, ${sum('fees_wei')} AS fees,
         ${sum('gas_cost_usd')} AS gas, ${sum('l1_fee_usd')} AS l1, ${sum('operator_fee_usd')} AS operator,
         ${sum('bid_usd')} AS bid
       ${SETTLED} GROUP BY protocol, outcome ORDER BY protocol, outcome`,
    );
    const [dry] = await ask(`SELECT count(*) AS n, ${sum('simulated_net_profit_usd')} AS simulated ${DRY}`);
    return {
      outcomes: outcomes.map(figuresOf),
      lostBecause: await counted(
        `SELECT outcome || ': ' || coalesce(reason, 'unknown') AS what, count(*) AS n ${SETTLED} AND outcome <> 'won'`,
      ),
      rivals: await counted(
        `SELECT outcome_details->'rival'->>'sender' AS what, count(*) AS n ${SETTLED}
         AND outcome = 'lost' AND outcome_details->'rival'->>'sender' IS NOT NULL`,
      ),
      rejections: await counted(
        `SELECT coalesce(reason, 'unknown') AS what, count(*) AS n ${DECIDED} AND status = 'rejected'`,
      ),
      dryRuns: { count: safeInteger(dry?.n ?? 0), simulatedUsd8: usd8FromText(dry?.simulated ?? '0') },
    };
  }

  /** The days in which something was settled or planned, the first one first. */
  async days(of: RowsOf, period: Period): Promise<DayFigures[]> {
    const rows = await this.ask(
      `SELECT ${dayOf('at')} AS day, sum(won) AS won, sum(simulated) AS simulated, sum(realised) AS realised,
         sum(lost) AS lost, sum(dry) AS dry, sum(would) AS would
       FROM (${EACH}) AS each_row GROUP BY day ORDER BY day`,
      of,
      period,
    );
    return rows.map(({ day, won, simulated, realised, lost, dry, would }) => ({
      day: String(day),
      won: safeInteger(won),
      simulatedUsd8: usd8FromText(simulated),
      realisedUsd8: usd8FromText(realised),
      lostFeesUsd8: usd8FromText(lost),
      dryRuns: safeInteger(dry),
      dryRunUsd8: usd8FromText(would),
    }));
  }

  /**
   * The profit over a period, in at most `most` steps of whole seconds, the first one first. Steps without a
   * profit are left out.
   */
  async steps(of: RowsOf, { from, to }: Period, most: number): Promise<StepFigures[]> {
    const [range] = await this.ask(`SELECT min(at) AS first FROM (${EACH}) AS each_row`, of, { from, to });
    if (!(range?.first instanceof Date)) return [];
    const first = new Date(Math.floor(range.first.getTime() / 1_000) * 1_000);
    const seconds = Math.max(1, Math.ceil((to.getTime() - first.getTime()) / 1_000 / most));
    const rows = await this.database.query(
      `SELECT floor(extract(epoch FROM at - $5::timestamptz) / $6)::int AS step,
         sum(simulated + would) AS simulated, sum(realised) AS realised, sum(lost) AS lost
       FROM (${EACH}) AS each_row GROUP BY step ORDER BY step`,
      [of.chainId, of.wallet ?? null, from, to, first, seconds],
    );
    return rows.map(({ step, simulated, realised, lost }) => ({
      until: new Date(Math.min(to.getTime(), first.getTime() + (safeInteger(step) + 1) * seconds * 1_000)),
      simulatedUsd8: usd8FromText(simulated),
      realisedUsd8: usd8FromText(realised),
      lostFeesUsd8: usd8FromText(lost),
    }));
  }

  /** How many decisions of a period are in which status. */
  async statuses(of: RowsOf, period: Period): Promise<ReadonlyMap<ExecutionStatus, number>> {
    const rows = await this.ask(`SELECT status, count(*) AS n ${DECIDED} GROUP BY status`, of, period);
    // The column's CHECK constraint allows no other word.
    return new Map(rows.map(({ status, n }) => [String(status) as ExecutionStatus, safeInteger(n)]));
  }

  /** Of what was decided in a period and sent. */
  async sendTimes(of: RowsOf, period: Period): Promise<SendTimes> {
    const share = (part: number): string =>
      `percentile_disc(${part}) WITHIN GROUP (ORDER BY head_to_send_us)`;
    const [row] = await this.ask(
      `SELECT ${share(0.5)} AS p50, ${share(0.99)} AS p99, count(*) AS n ${DECIDED}
       AND head_to_send_us IS NOT NULL`,
      of,
      period,
    );
    const us = (value: unknown): number | undefined =>
      value === null || value === undefined ? undefined : safeInteger(value);
    return { p50Us: us(row?.p50), p99Us: us(row?.p99), sample: safeInteger(row?.n ?? 0) };
  }

  /**
   * The ids of what was settled in a period, and of what a dry run planned in it, the lowest first.
   *
   * @param after only ids above it: the next page
   */
  async ids(of: RowsOf, period: Period, after: string, limit: number): Promise<string[]> {
    const rows = await this.database.query(
      `SELECT id FROM (SELECT id ${SETTLED} UNION SELECT id ${DRY}) AS found
       WHERE id > $5 ORDER BY id LIMIT $6`,
      [of.chainId, of.wallet ?? null, period.from, period.to, after, limit],
    );
    return rows.map(({ id }) => String(id));
  }

  private ask(sql: string, { chainId, wallet }: RowsOf, { from, to }: Period): Promise<readonly Row[]> {
    return this.database.query(sql, [chainId, wallet ?? null, from, to]);
  }

  /** Whether the report was made; undefined when this wallet has never made one of this kind. */
  async wasMade({ chainId, wallet }: LeaseKey, kind: ReportKind, day: string): Promise<boolean | undefined> {
    const [row] = await this.database.query(
      `SELECT count(*) AS n, count(*) FILTER (WHERE day >= $4::date) AS made
       FROM reports WHERE chain_id = $1 AND wallet = $2 AND kind = $3`,
      [chainId, wallet, kind, day],
    );
    return safeInteger(row?.n ?? 0) === 0 ? undefined : safeInteger(row?.made ?? 0) > 0;
  }

  /** A second call changes nothing. */
  async made({ chainId, wallet }: LeaseKey, kind: ReportKind, day: string): Promise<void> {
    await this.database.query(
      `INSERT INTO reports (chain_id, wallet, kind, day) VALUES ($1, $2, $3, $4::date) ON CONFLICT DO NOTHING`,
      [chainId, wallet, kind, day],
    );
  }
}

function figuresOf(row: Row): OutcomeFigures {
  const usd8 = (value: unknown): bigint => usd8FromText(value);
  return {
    protocol: String(row.protocol),
    // The column's CHECK constraint allows no other word.
    outcome: String(row.outcome) as Outcome,
    count: safeInteger(row.n),
    profitUsd8: usd8(row.profit),
    simulatedUsd8: usd8(row.simulated),
    notionalUsd8: usd8(row.notional),
    feesWei: BigInt(String(row.fees)),
    gasUsd8: usd8(row.gas),
    l1Usd8: usd8(row.l1),
    operatorUsd8: usd8(row.operator),
    bidUsd8: usd8(row.bid),
  };
}
