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

/** What became of submissions that were bid by a share, and were not reviewed yet. */
export interface UnreviewedBids {
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

/**
 * The submissions of a wallet that the share was bid for, after the last review, in the order in which they
 * ended. What every node refused was not submitted.
 */
const UNREVIEWED = `
  FROM executions e
  LEFT JOIN (SELECT last_settled_at, last_execution FROM bid_reviews
    WHERE chain_id = $1 AND wallet = $2 ORDER BY number DESC LIMIT 1) r ON true
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

  /** @param most of them, the oldest first. */
  async unreviewed({ chainId, wallet }: LeaseKey, most: number): Promise<UnreviewedBids> {
    const [row] = await this.database.query(
      `SELECT count(*) AS sent, count(*) FILTER (WHERE outcome = 'won') AS won
       FROM (SELECT e.outcome ${UNREVIEWED} ORDER BY e.settled_at, e.id LIMIT $3) counted`,
      [chainId, wallet, most],
    );
    return { sent: safeInteger(row?.sent), won: safeInteger(row?.won) };
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
      `INSERT INTO bid_reviews (chain_id, wallet, number, from_bps, to_bps, sent, won, inclusion_bps, reason,
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
