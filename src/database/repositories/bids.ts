import { Injectable } from '@nestjs/common';
import { safeInteger, usd8FromText } from '../columns.js';
import { Database, type Row } from '../database.js';
import type { LeaseKey } from './leases.js';

/** A review of the share that the model `by-inclusion` offers. Shares are in hundredths of a percent. */
export interface BidReview {
  /** From 1. */
  readonly number: number;
  readonly fromBps: number;
  readonly toBps: number;
  readonly sent: number;
  readonly won: number;
  readonly inclusionBps: number;
  readonly reason: string;
  readonly reviewedAt: Date;
}

/** Where the share stands, and what became of the submissions that were not reviewed yet. */
export interface UnreviewedBids {
  /** The number of the last review, 0 before the first one. */
  readonly reviews: number;
  /** What the last review made of the share; undefined before the first one. */
  readonly shareBps: number | undefined;
  readonly sent: number;
  readonly won: number;
}

/** An execution that won its position, or lost it to a rival. */
export interface RaceRow {
  readonly executionId: string;
  readonly outcome: 'won' | 'lost';
  readonly planBlock: number;
  readonly sizeUsd8: bigint;
  /** Wei per gas; undefined where the row does not tell it. */
  readonly tipPerGasWei: bigint | undefined;
  /** Of the rival, wei per gas; undefined where it could not be read. */
  readonly rivalTipPerGasWei: bigint | undefined;
}

/** The last review of a wallet. */
const LAST_REVIEW = `
  WITH r AS (SELECT number, to_bps, last_settled_at, last_execution FROM bid_reviews
    WHERE chain_id = $1 AND wallet = $2 ORDER BY number DESC LIMIT 1)`;
/**
 * The submissions of a wallet that the share was bid for, after {@link LAST_REVIEW}, in the order in which
 * they ended. What every node refused was not submitted.
 */
const UNREVIEWED = `
  FROM executions e LEFT JOIN r ON true
  WHERE e.chain_id = $1 AND e.wallet = $2 AND e.outcome IN ('won', 'lost', 'stale', 'malfunction')
    AND e.plan->'bid'->>'model' = 'by-inclusion'
    AND (r.last_execution IS NULL OR (e.settled_at, e.id) > (r.last_settled_at, r.last_execution))`;

/**
 * What bids are learned from, and the history of the share. Every method throws as {@link Database.query}
 * does.
 */
@Injectable()
export class BidsRepository {
  constructor(private readonly database: Database) {}

  /** The newest first. */
  async reviews({ chainId, wallet }: LeaseKey, limit: number): Promise<BidReview[]> {
    const rows = await this.database.query(
      `SELECT number, from_bps, to_bps, sent, won, inclusion_bps, reason, reviewed_at FROM bid_reviews
       WHERE chain_id = $1 AND wallet = $2 ORDER BY number DESC LIMIT $3`,
      [chainId, wallet, limit],
    );
    return rows.map(reviewOf);
  }

  /**
   * All of it at one moment: another process may write a review meanwhile.
   *
   * @param most so many submissions, the oldest first.
   */
  async unreviewed({ chainId, wallet }: LeaseKey, most: number): Promise<UnreviewedBids> {
    const [row] = await this.database.query(
      `${LAST_REVIEW}
       SELECT (SELECT number FROM r) AS reviews, (SELECT to_bps FROM r) AS share,
         count(*) AS sent, count(*) FILTER (WHERE outcome = 'won') AS won
       FROM (SELECT e.outcome ${UNREVIEWED} ORDER BY e.settled_at, e.id LIMIT $3) counted`,
      [chainId, wallet, most],
    );
    return {
      reviews: safeInteger(row?.reviews ?? 0),
      shareBps: row?.share == null ? undefined : safeInteger(row.share),
      sent: safeInteger(row?.sent),
      won: safeInteger(row?.won),
    };
  }

  /**
   * Writes a review of the oldest `sent` unreviewed submissions. The same number again changes nothing.
   *
   * @returns whether it was written.
   */
  async addReview(
    { chainId, wallet }: LeaseKey,
    { number, fromBps, toBps, sent, won, inclusionBps, reason }: Omit<BidReview, 'reviewedAt'>,
  ): Promise<boolean> {
    const rows = await this.database.query(
      `${LAST_REVIEW}
       INSERT INTO bid_reviews (chain_id, wallet, number, from_bps, to_bps, sent, won, inclusion_bps, reason,
         last_settled_at, last_execution)
       SELECT $1, $2, $3::bigint, $4::int, $5::int, $6::int, $7::int, $8::int, $9, settled_at, id
       FROM (SELECT e.settled_at, e.id ${UNREVIEWED} ORDER BY e.settled_at, e.id OFFSET $6::int - 1 LIMIT 1) last
       ON CONFLICT DO NOTHING RETURNING number`,
      [chainId, wallet, number, fromBps, toBps, sent, won, inclusionBps, reason],
    );
    return rows.length > 0;
  }

  /** The last races of a wallet, the oldest first. */
  async lastRaces({ chainId, wallet }: LeaseKey, limit: number): Promise<RaceRow[]> {
    const rows = await this.database.query(
      `SELECT id, outcome, block_number, coalesce(simulated_profit_usd, 0) AS size,
         outcome_details->>'tipPerGasWei' AS tip, outcome_details->'rival'->>'tipPerGasWei' AS rival
       FROM executions
       WHERE chain_id = $1 AND wallet = $2 AND outcome IN ('won', 'lost')
       ORDER BY settled_at DESC, id DESC LIMIT $3`,
      [chainId, wallet, limit],
    );
    return [...rows].reverse().map((row) => ({
      executionId: String(row.id),
      outcome: row.outcome === 'won' ? 'won' : 'lost',
      planBlock: safeInteger(row.block_number),
      sizeUsd8: usd8FromText(row.size),
      tipPerGasWei: weiOf(row.tip),
      rivalTipPerGasWei: weiOf(row.rival),
    }));
  }
}

function reviewOf(row: Row): BidReview {
  return {
    number: safeInteger(row.number),
    fromBps: safeInteger(row.from_bps),
    toBps: safeInteger(row.to_bps),
    sent: safeInteger(row.sent),
    won: safeInteger(row.won),
    inclusionBps: safeInteger(row.inclusion_bps),
    reason: String(row.reason),
    reviewedAt: row.reviewed_at as Date,
  };
}

/** Decimal text of a JSON column. */
function weiOf(text: unknown): bigint | undefined {
  return typeof text === 'string' && /^\d{1,30}$/.test(text) ? BigInt(text) : undefined;
}
