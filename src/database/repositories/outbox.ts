import { Injectable } from '@nestjs/common';
import { In } from 'typeorm';
import { HaltError } from '../../domain/errors.js';
import type { Address, Hash, Hex } from '../../domain/hex.js';
import { safeInteger } from '../columns.js';
import { Database } from '../database.js';
import { OutboxTransaction, type OutboxStatus } from '../entities/outbox-transaction.js';

/** A signed transaction that is to be made durable before it is broadcast. */
export interface OutboxIntent {
  /** The execution it carries out, in status `planned`; null for one that liquidates nothing. */
  readonly executionId: string | null;
  readonly chainId: number;
  readonly sender: Address;
  readonly nonce: number;
  readonly hash: Hash;
  readonly raw: Hex;
  /** The UTC day that the volume is booked to: YYYY-MM-DD. */
  readonly day: string;
}

export type Recorded =
  /** It is durable: it may be broadcast. */
  | { readonly kind: 'recorded'; readonly id: string }
  /** This very transaction was durable before: an earlier attempt had succeeded without our hearing of it. */
  | { readonly kind: 'already-recorded'; readonly id: string }
  /** Another intent holds (chain, sender, nonce): nothing was written, and nothing may be broadcast. */
  | { readonly kind: 'nonce-taken'; readonly existing: OutboxTransaction };

/** What may still be mined. */
const UNSETTLED: readonly OutboxStatus[] = ['prepared', 'broadcast'];

/**
 * One statement, so one transaction: the row, the execution's `authorised`, the day's volume. A nonce whose transaction
 * failed or was dropped serves again; its row then belongs to the new intent.
 */
const RECORD = `
WITH ready AS (
  SELECT id FROM executions WHERE id = $1::bigint AND status = 'planned' FOR UPDATE
), intent AS (
  INSERT INTO transactions AS t (execution_id, chain_id, sender, nonce, hash, raw, status)
  SELECT $1::bigint, $2::bigint, $3::text, $4::bigint, $5::text, $6::text, 'prepared'
  WHERE $1::bigint IS NULL OR EXISTS (SELECT FROM ready)
  ON CONFLICT (chain_id, sender, nonce) DO UPDATE
    SET execution_id = excluded.execution_id, hash = excluded.hash, raw = excluded.raw, status = 'prepared',
        block_number = NULL, created_at = now(), updated_at = now()
    WHERE t.status IN ('failed', 'dropped') AND t.hash <> excluded.hash
  RETURNING id
), authorised AS (
  UPDATE executions SET status = 'authorised', tx_hash = $5::text
  WHERE id = $1::bigint AND EXISTS (SELECT FROM intent)
  RETURNING notional_usd
), booked AS (
  INSERT INTO daily_volume AS d (day, notional_usd)
  SELECT $7::date, notional_usd FROM authorised
  ON CONFLICT (day) DO UPDATE SET notional_usd = d.notional_usd + excluded.notional_usd
)
SELECT id FROM intent`;

/** Signed transactions. Every method throws as {@link Database.query} does. */
@Injectable()
export class OutboxRepository {
  constructor(private readonly database: Database) {}

  /**
   * Makes a signed transaction durable, authorises its execution and books its notional, all or nothing. After a
   * RetryError it is unknown whether that happened: record the same intent again.
   *
   * @throws HaltError also when the execution is not in status `planned`.
   */
  async record(intent: OutboxIntent): Promise<Recorded> {
    const { executionId, chainId, sender, nonce, hash, raw, day } = intent;
    const [row] = await this.database.query(RECORD, [executionId, chainId, sender, nonce, hash, raw, day]);
    if (row) return { kind: 'recorded', id: String(row.id) };
    const existing = await this.find(chainId, sender, nonce);
    if (!existing)
      throw new HaltError(
        `execution ${String(executionId)} is not planned: its transaction was not recorded`,
      );
    // Byte for byte the same, but for another execution: another process carries out the same plan with our key.
    return existing.hash === hash && existing.executionId === executionId
      ? { kind: 'already-recorded', id: existing.id }
      : { kind: 'nonce-taken', existing };
  }

  find(chainId: number, sender: Address, nonce: number): Promise<OutboxTransaction | null> {
    return this.database.with(OutboxTransaction, (rows) => rows.findOneBy({ chainId, sender, nonce }));
  }

  /** What may still be mined, by ascending nonce. */
  unsettled(chainId: number, sender: Address): Promise<OutboxTransaction[]> {
    return this.database.with(OutboxTransaction, (rows) =>
      rows.find({ where: { chainId, sender, status: In(UNSETTLED) }, order: { nonce: 'ASC' } }),
    );
  }

  /** The highest nonce of a row that was mined or may still be; undefined when there is none. */
  highestNonce(chainId: number, sender: Address): Promise<number | undefined> {
    return this.#highest(chainId, sender, [...UNSETTLED, 'mined']);
  }

  /** The highest nonce of a mined row: a chain that counts less is not the chain that these rows were written for. */
  highestMinedNonce(chainId: number, sender: Address): Promise<number | undefined> {
    return this.#highest(chainId, sender, ['mined']);
  }

  /** @param blockNumber where it was mined; kept when absent. */
  async setStatus(id: string, status: OutboxStatus, blockNumber?: number): Promise<void> {
    const rows = await this.database.query(
      `UPDATE transactions SET status = $2, block_number = coalesce($3::bigint, block_number), updated_at = now()
       WHERE id = $1 RETURNING id`,
      [id, status, blockNumber ?? null],
    );
    if (rows.length !== 1) throw new HaltError(`there is no transaction ${id} in the outbox`);
  }

  async #highest(
    chainId: number,
    sender: Address,
    statuses: readonly OutboxStatus[],
  ): Promise<number | undefined> {
    const [row] = await this.database.query(
      'SELECT max(nonce) AS nonce FROM transactions WHERE chain_id = $1 AND sender = $2 AND status = ANY ($3)',
      [chainId, sender, statuses],
    );
    return row && row.nonce !== null ? safeInteger(row.nonce) : undefined;
  }
}
