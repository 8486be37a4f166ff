import { Injectable } from '@nestjs/common';
import type { Outcome } from '../../domain/outcome.js';
import { safeInteger, usd8FromText } from '../columns.js';
import { Database, type Row } from '../database.js';
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

const SETTLED = `FROM executions WHERE outcome IS NOT NULL AND chain_id = $1 AND wallet = $2
  AND settled_at >= $3 AND settled_at < $4`;
const DECIDED = `FROM executions WHERE chain_id = $1 AND wallet = $2 AND created_at >= $3 AND created_at < $4`;
const sum = (column: string): string => `coalesce(sum(${column}), 0)`;

/**
 *  Reports of days and weeks: their figures, and which were made. Every method throws as {@link
 * Database.query} does.
 */
@Injectable()
export class ReportsRepository {
  constructor(private readonly database: Database) {}

  /** The figures of one wallet. */
  async figures({ chainId, wallet }: LeaseKey, { from, to }: Period): Promise<PeriodFigures> {
    const ask = (sql: string): Promise<readonly Row[]> =>
      this.database.query(sql, [chainId, wallet, from, to]);
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
    const [dry] = await ask(
      `SELECT count(*) AS n, ${sum('simulated_net_profit_usd')} AS simulated ${DECIDED} AND status = 'dry-run'`,
    );
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
