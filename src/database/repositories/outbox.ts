import { Injectable } from '@nestjs/common';
import { Between, In, IsNull, Not } from 'typeorm';
import type { Block } from '../../domain/block.js';
import { NO_SPEND, type Spend } from '../../domain/spend.js';
import { HaltError } from '../../domain/errors.js';
import type { Address, Hash, Hex } from '../../domain/hex.js';
import { safeInteger, storableText, usd8FromText, usd8ToText } from '../columns.js';
import { Database } from '../database.js';
import { OutboxTransaction, type OutboxStatus } from '../entities/outbox-transaction.js';
import { TransactionVersion, type VersionKind } from '../entities/transaction-version.js';

/** A signed transaction that is to be made durable before it is broadcast. */
export interface OutboxIntent {
  /** The execution it carries out, in status `planned`; null for one that liquidates nothing. */
  readonly executionId: string | null;
  readonly chainId: number;
  readonly sender: Address;
  readonly nonce: number;
  readonly hash: Hash;
  readonly raw: Hex;
  /** The door by which it leaves: a name of execution.paths. */
  readonly door: string;
  /** The UTC day that the volume is booked to: YYYY-MM-DD. */
  readonly day: string;
  /** The most that it may pay and lose. The row reserves it until it is settled. */
  readonly reservation: Spend;
}

/** A transaction that was taken for lost, and the version by which its row names it. */
interface Dropped extends Pick<TransactionVersion, 'hash' | 'raw'> {
  readonly outboxId: string;
  readonly executionId: string;
}

/** Another version of a transaction that is in flight. */
export interface NewVersion extends Pick<TransactionVersion, 'hash' | 'raw'> {
  readonly kind: Exclude<VersionKind, 'first'>;
  /** Why it replaces the one before it. */
  readonly reason: string;
  /** The most that this version may pay and lose. */
  readonly reservation: Spend;
}

export type Recorded =
  /** It is durable: it may be broadcast. */
  | { readonly kind: 'recorded'; readonly id: string }
  /** This very transaction was durable before: an earlier attempt succeeded, and its answer was lost. */
  | { readonly kind: 'already-recorded'; readonly id: string }
  /** Another intent holds (chain, sender, nonce): nothing was written, and nothing may be broadcast. */
  | { readonly kind: 'nonce-taken'; readonly existing: OutboxTransaction };

/** How a transaction ended. Only a reorg can undo it. */
export type OutboxEnd =
  | { readonly status: 'failed' | 'dropped' }
  | {
      readonly status: 'mined';
      readonly block: Pick<Block, 'number' | 'hash'>;
      /** Whether it covered debt. What did not no longer counts in its day's volume. */
      readonly covered: boolean;
      /** What its receipt says that it paid and lost, and the UTC day to which that is booked. */
      readonly spent: BookedSpend;
    };

/** What was paid and lost, booked to a UTC day: YYYY-MM-DD. */
export interface BookedSpend extends Spend {
  readonly day: string;
}

/** Of transactions that may still be mined. */
const UNSETTLED: readonly OutboxStatus[] = ['prepared', 'broadcast'];

/**
 * One statement, so one transaction: the row with its reservation, the execution's `authorised`, the day's
 * volume. A nonce whose transaction failed or was dropped serves again; its row then belongs to the new
 * intent.
 */
const RECORD = `
WITH ready AS (
  SELECT id FROM executions WHERE id = $1::bigint AND status = 'planned' FOR UPDATE
), intent AS (
  INSERT INTO transactions AS t (execution_id, chain_id, sender, nonce, hash, raw, door, status, booked_day,
    reserved_fee_wei, reserved_loss_usd)
  SELECT $1::bigint, $2::bigint, $3::text, $4::bigint, $5::text, $6::text, $8::text, 'prepared',
    CASE WHEN $1::bigint IS NOT NULL THEN $7::date END, $9::numeric, $10::numeric
  WHERE $1::bigint IS NULL OR EXISTS (SELECT FROM ready)
  ON CONFLICT (chain_id, sender, nonce) DO UPDATE
    SET execution_id = excluded.execution_id, hash = excluded.hash, raw = excluded.raw, door = excluded.door,
        status = 'prepared', block_number = NULL, block_hash = NULL, booked_day = excluded.booked_day,
        reserved_fee_wei = excluded.reserved_fee_wei, reserved_loss_usd = excluded.reserved_loss_usd,
        created_at = now(), updated_at = now()
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
), version AS (
  INSERT INTO transaction_versions (transaction_id, execution_id, hash, raw, kind)
  SELECT id, $1::bigint, $5::text, $6::text, 'first' FROM intent
  ON CONFLICT (hash) DO UPDATE SET execution_id = excluded.execution_id
)
SELECT id FROM intent`;

/**
 * One statement: the version, and the row that follows the newest one. Either version may be mined, so the
 * row reserves the larger of the two. To repeat it changes nothing more.
 */
const ADD_VERSION = `
WITH open AS (
  UPDATE transactions SET hash = $2::text, raw = $3::text, updated_at = now(),
    reserved_fee_wei = greatest(reserved_fee_wei, $6::numeric),
    reserved_loss_usd = greatest(reserved_loss_usd, $7::numeric)
  WHERE id = $1::bigint AND status IN ('prepared', 'broadcast')
  RETURNING id, execution_id
), version AS (
  INSERT INTO transaction_versions (transaction_id, execution_id, hash, raw, kind, reason)
  SELECT id, execution_id, $2::text, $3::text, $4::text, $5::text FROM open
  ON CONFLICT (hash) DO NOTHING
)
SELECT id FROM open`;

/**
 * One statement: it ends the row, takes its notional off the day, and books what it spent. To repeat it
 * changes nothing more. It tells to which day the spending is booked.
 */
const END = `
WITH before AS (
  SELECT id, execution_id, chain_id, sender, booked_day, spent_day FROM transactions WHERE id = $1::bigint FOR UPDATE
), released AS (
  UPDATE daily_volume d SET notional_usd = d.notional_usd - e.notional_usd
  FROM before JOIN executions e ON e.id = before.execution_id
  WHERE $5::boolean AND d.day = before.booked_day
), spent AS (
  INSERT INTO daily_spend AS d (chain_id, sender, day, fee_wei, loss_usd)
  SELECT chain_id, sender, $6::date, $7::numeric, $8::numeric FROM before
  WHERE $6::date IS NOT NULL AND spent_day IS NULL
  ON CONFLICT (chain_id, sender, day) DO UPDATE
    SET fee_wei = d.fee_wei + excluded.fee_wei, loss_usd = d.loss_usd + excluded.loss_usd
)
UPDATE transactions t SET status = $2::text, block_number = $3::bigint, block_hash = $4::text,
  booked_day = CASE WHEN NOT $5::boolean THEN t.booked_day END,
  spent_day = coalesce(t.spent_day, $6::date), spent_fee_wei = coalesce(t.spent_fee_wei, $7::numeric),
  spent_loss_usd = coalesce(t.spent_loss_usd, $8::numeric), updated_at = now()
FROM before WHERE t.id = before.id
RETURNING t.id, t.spent_day::text, t.spent_fee_wei::text, t.spent_loss_usd::text`;

/**
 * One statement: row and execution as before the receipt, the notional booked again if it had been released,
 * and what was spent taken off the day to which it was booked.
 */
const REOPEN = `
WITH before AS (
  SELECT id, execution_id, chain_id, sender, booked_day, spent_day, spent_fee_wei, spent_loss_usd
  FROM transactions WHERE id = $1::bigint AND status = 'mined' FOR UPDATE
), reopened AS (
  UPDATE transactions t SET status = 'broadcast', block_number = NULL, block_hash = NULL,
    booked_day = coalesce(t.booked_day, $2::date),
    spent_day = NULL, spent_fee_wei = NULL, spent_loss_usd = NULL, updated_at = now()
  FROM before WHERE t.id = before.id
), returned AS (
  UPDATE daily_spend d SET fee_wei = d.fee_wei - before.spent_fee_wei, loss_usd = d.loss_usd - before.spent_loss_usd
  FROM before WHERE d.chain_id = before.chain_id AND d.sender = before.sender AND d.day = before.spent_day
), execution AS (
  UPDATE executions e SET status = 'submitted', reason = NULL, debt_covered = NULL, collateral_seized = NULL,
    realised_profit = NULL, realised_profit_usd = NULL, gas_used = NULL, settled_at = NULL,
    outcome = NULL, outcome_details = NULL, fees_wei = NULL
  FROM before WHERE e.id = before.execution_id
  RETURNING e.notional_usd, before.booked_day
)
INSERT INTO daily_volume AS d (day, notional_usd)
SELECT $2::date, notional_usd FROM execution WHERE booked_day IS NULL
ON CONFLICT (day) DO UPDATE SET notional_usd = d.notional_usd + excluded.notional_usd`;

const DROPPED = `
SELECT DISTINCT t.id, v.execution_id
FROM transaction_versions v JOIN transactions t ON t.id = v.transaction_id JOIN executions e ON e.id = v.execution_id
WHERE t.chain_id = $1 AND t.sender = $2 AND e.status = 'dropped' AND e.settled_at > now() - $3::int * interval '1 second'`;

/** One statement: row and execution as before the drop, and the notional booked again. */
const REVIVE = `
WITH revived AS (
  UPDATE transactions SET execution_id = $2::bigint, hash = $3::text, raw = $4::text, status = 'broadcast',
    block_number = NULL, block_hash = NULL, booked_day = $5::date, updated_at = now()
  WHERE id = $1::bigint AND status IN ('failed', 'dropped')
  RETURNING id
), execution AS (
  UPDATE executions SET status = 'submitted', reason = NULL, settled_at = NULL, outcome = NULL,
    outcome_details = NULL
  WHERE id = $2::bigint AND EXISTS (SELECT FROM revived)
  RETURNING notional_usd
)
INSERT INTO daily_volume AS d (day, notional_usd) SELECT $5::date, notional_usd FROM execution
ON CONFLICT (day) DO UPDATE SET notional_usd = d.notional_usd + excluded.notional_usd`;

/** Signed transactions. Every method throws as {@link Database.query} does. */
@Injectable()
export class OutboxRepository {
  constructor(private readonly database: Database) {}

  /**
   * Makes a signed transaction durable, authorises its execution and books its notional, all or nothing.
   * After a RetryError it is unknown whether that happened: record the same intent again.
   *
   * @throws HaltError also when the execution is not in status `planned`.
   */
  async record(intent: OutboxIntent): Promise<Recorded> {
    const { executionId, chainId, sender, nonce, hash, raw, day, door, reservation } = intent;
    const identity = [executionId, chainId, sender, nonce, hash, raw, day, door];
    const [row] = await this.database.query(RECORD, [...identity, ...amountsOf(reservation)]);
    if (row) return { kind: 'recorded', id: String(row.id) };
    const existing = await this.find(chainId, sender, nonce);
    if (!existing)
      throw new HaltError(
        `execution ${String(executionId)} is not planned: its transaction was not recorded`,
      );
    // The same bytes for another execution mean that another process carries out the same plan with our key.
    return existing.hash === hash && existing.executionId === executionId
      ? { kind: 'already-recorded', id: existing.id }
      : { kind: 'nonce-taken', existing };
  }

  /**
   * Makes another signed version of a transaction in flight durable. Only after this may it be handed over.
   * May be repeated.
   *
   * @throws HaltError also when the transaction is not in flight any more.
   */
  async addVersion(id: string, { hash, raw, kind, reason, reservation }: NewVersion): Promise<void> {
    const values = [id, hash, raw, kind, storableText(reason), ...amountsOf(reservation)];
    const rows = await this.database.query(ADD_VERSION, values);
    if (rows.length !== 1) throw new HaltError(`the transaction ${id} of the outbox is not in flight`);
  }

  /** The versions that were signed for one execution under one nonce, the newest last. */
  versionsOf(transactionId: string, executionId: string): Promise<TransactionVersion[]> {
    return this.database.with(TransactionVersion, (rows) =>
      rows.find({ where: { transactionId, executionId }, order: { id: 'ASC' } }),
    );
  }

  /**
   * The rows of which a version was signed for an execution that was dropped in the last seconds, with that
   * execution. The row may serve another one by now.
   */
  async droppedSince(
    chainId: number,
    sender: Address,
    seconds: number,
  ): Promise<readonly { readonly row: OutboxTransaction; readonly executionId: string }[]> {
    const found = await this.database.query(DROPPED, [chainId, sender, seconds]);
    const ids = found.map(({ id }) => String(id));
    const rows = await this.database.with(OutboxTransaction, (all) => all.findBy({ id: In(ids) }));
    return found.flatMap(({ id, execution_id }) => {
      const row = rows.find((one) => one.id === String(id));
      return row ? [{ row, executionId: String(execution_id) }] : [];
    });
  }

  /**
   * A transaction that was dropped is in flight again: its row, which may have served another execution, and
   * its execution. May be repeated.
   *
   * @param day the UTC day, YYYY-MM-DD, that its notional is booked to.
   */
  async revive({ outboxId, executionId, hash, raw }: Dropped, day: string): Promise<void> {
    await this.database.query(REVIVE, [outboxId, executionId, hash, raw, day]);
  }

  /** The row follows the version that was mined. May be repeated. */
  async takeVersion(id: string, { hash, raw }: Pick<TransactionVersion, 'hash' | 'raw'>): Promise<void> {
    await this.database.query(
      `UPDATE transactions SET hash = $2, raw = $3, updated_at = now() WHERE id = $1`,
      [id, hash, raw],
    );
  }

  find(chainId: number, sender: Address, nonce: number): Promise<OutboxTransaction | null> {
    return this.database.with(OutboxTransaction, (rows) => rows.findOneBy({ chainId, sender, nonce }));
  }

  /** The transactions that may still be mined, by ascending nonce. */
  unsettled(chainId: number, sender: Address): Promise<OutboxTransaction[]> {
    return this.database.with(OutboxTransaction, (rows) =>
      rows.find({ where: { chainId, sender, status: In(UNSETTLED) }, order: { nonce: 'ASC' } }),
    );
  }

  /**
   * The highest nonce of a mined row; undefined when there is none. A chain that counts fewer transactions is
   * not the chain for which these rows were written.
   */
  async highestMinedNonce(chainId: number, sender: Address): Promise<number | undefined> {
    const [row] = await this.database.query(
      `SELECT max(nonce) AS nonce FROM transactions WHERE chain_id = $1 AND sender = $2 AND status = 'mined'`,
      [chainId, sender],
    );
    return row && row.nonce !== null ? safeInteger(row.nonce) : undefined;
  }

  /** The transactions that were mined from one block to another, both included, and that may be reopened. */
  minedBetween(
    chainId: number,
    sender: Address,
    fromBlock: number,
    toBlock: number,
  ): Promise<OutboxTransaction[]> {
    const blockNumber = Between(fromBlock, toBlock);
    return this.database.with(OutboxTransaction, (rows) =>
      rows.findBy({ chainId, sender, status: 'mined', blockNumber, blockHash: Not(IsNull()) }),
    );
  }

  /** A node has taken it. */
  async markBroadcast(id: string): Promise<void> {
    const rows = await this.database.query(
      `UPDATE transactions SET status = 'broadcast', updated_at = now() WHERE id = $1 RETURNING id`,
      [id],
    );
    if (rows.length !== 1) throw new HaltError(`there is no transaction ${id} in the outbox`);
  }

  /**
   * Writes how it ended, takes its notional off the day unless debt was covered, and books what it spent. May
   * be repeated.
   *
   * @returns what is booked for it, as the first call said it; undefined when it has paid nothing.
   */
  async end(id: string, end: OutboxEnd): Promise<BookedSpend | undefined> {
    const mined = end.status === 'mined' ? end : undefined;
    const [feeWei, lossUsd] = mined ? amountsOf(mined.spent) : [null, null];
    const [row] = await this.database.query(END, [
      id,
      end.status,
      mined?.block.number ?? null,
      mined?.block.hash ?? null,
      !mined?.covered,
      mined?.spent.day ?? null,
      feeWei,
      lossUsd,
    ]);
    if (!row) throw new HaltError(`there is no transaction ${id} in the outbox`);
    const { spent_day: day, spent_fee_wei, spent_loss_usd } = row;
    return typeof day === 'string' ? { day, ...spendOf(spent_fee_wei, spent_loss_usd) } : undefined;
  }

  /** What was paid and lost on a UTC day, YYYY-MM-DD, by the receipts that were settled on it. */
  async spentOn(chainId: number, sender: Address, day: string): Promise<Spend> {
    const [row] = await this.database.query(
      `SELECT fee_wei::text, loss_usd::text FROM daily_spend WHERE chain_id = $1 AND sender = $2 AND day = $3::date`,
      [chainId, sender, day],
    );
    return row ? spendOf(row.fee_wei, row.loss_usd) : NO_SPEND;
  }

  /**
   * A reorg removed the block in which it was mined. Row and execution become what they were before the
   * receipt. May be repeated.
   *
   * @param day the UTC day, YYYY-MM-DD, that its notional is booked to if no day counts it.
   */
  async reopen(id: string, day: string): Promise<void> {
    await this.database.query(REOPEN, [id, day]);
  }
}

function amountsOf({ feeWei, lossUsd8 }: Spend): readonly [string, string] {
  return [String(feeWei), usd8ToText(lossUsd8)];
}

function spendOf(feeWei: unknown, lossUsd: unknown): Spend {
  return { feeWei: BigInt(String(feeWei)), lossUsd8: usd8FromText(lossUsd) };
}
