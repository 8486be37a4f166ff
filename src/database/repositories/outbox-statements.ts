import { isHeld } from '../fence.js';
import { DECISION_COLUMNS, DECISION_TYPES } from './decision-columns.js';

// The statements of the outbox. Each is a transaction of its own, and each that writes is fenced.

/** The rows of one intent. */
export interface RecordedRows {
  readonly outboxId: string;
  readonly executionId: string;
}

/**
 * One statement, so one transaction, for all intents of a pass: the executions as `authorised`, the rows with
 * their reservations, the first versions, the day's volume. All or nothing: nothing is written without the
 * lease, or when a live row holds one of the nonces. A nonce whose transaction failed or was dropped serves
 * again; its row then belongs to the new intent.
 *
 * The range of nonces keeps it from reading all that the wallet ever sent, whatever join is chosen.
 *
 * The last column fails the statement when another writer took one of several nonces beside it, which only
 * one without a lease can do.
 */
export const RECORD = `
WITH lease AS (
  SELECT ${isHeld('$2', '$3', '$5')} AS held
), item AS (
  SELECT nextval(pg_get_serial_sequence('executions', 'id')) AS execution_id, intent.*
  FROM jsonb_to_recordset($1::jsonb) AS intent (nonce bigint, hash text, raw text, door text,
    reserved_fee_wei numeric, reserved_loss_usd numeric, ${DECISION_TYPES})
), taken AS (
  SELECT FROM item JOIN transactions t ON t.chain_id = $2::bigint AND t.sender = $3::text AND t.nonce = item.nonce
    AND t.nonce BETWEEN (SELECT min(nonce) FROM item) AND (SELECT max(nonce) FROM item)
  WHERE t.status NOT IN ('failed', 'dropped') OR t.hash = item.hash
), intent AS (
  INSERT INTO transactions AS t (execution_id, chain_id, sender, nonce, hash, raw, door, status, booked_day,
    reserved_fee_wei, reserved_loss_usd)
  SELECT execution_id, $2::bigint, $3::text, nonce, hash, raw, door, 'prepared', $4::date, reserved_fee_wei,
    reserved_loss_usd
  FROM item WHERE (SELECT held FROM lease) AND NOT EXISTS (SELECT FROM taken)
  ON CONFLICT (chain_id, sender, nonce) DO UPDATE
    SET execution_id = excluded.execution_id, hash = excluded.hash, raw = excluded.raw, door = excluded.door,
        status = 'prepared', block_number = NULL, block_hash = NULL, booked_day = excluded.booked_day,
        reserved_fee_wei = excluded.reserved_fee_wei, reserved_loss_usd = excluded.reserved_loss_usd,
        created_at = now(), updated_at = now()
    WHERE t.status IN ('failed', 'dropped') AND t.hash <> excluded.hash
  RETURNING id, nonce
), written AS (
  SELECT intent.id, item.* FROM intent JOIN item USING (nonce)
), execution AS (
  INSERT INTO executions (id, status, tx_hash, ${DECISION_COLUMNS}) OVERRIDING SYSTEM VALUE
  SELECT execution_id, 'authorised', hash, ${DECISION_COLUMNS} FROM written ORDER BY nonce
), version AS (
  INSERT INTO transaction_versions (transaction_id, execution_id, hash, raw, kind)
  SELECT id, execution_id, hash, raw, 'first' FROM written ORDER BY nonce
  ON CONFLICT (hash) DO UPDATE SET execution_id = excluded.execution_id
), booked AS (
  INSERT INTO daily_volume AS d (chain_id, day, notional_usd)
  SELECT $2::bigint, $4::date, sum(notional_usd) FROM written HAVING count(*) > 0
  ON CONFLICT (chain_id, day) DO UPDATE SET notional_usd = d.notional_usd + excluded.notional_usd
)
SELECT held,
  (SELECT json_agg(json_build_array(nonce, id::text, execution_id::text)) FROM written) AS written,
  1 / CASE WHEN (SELECT count(*) FROM written) IN (0, jsonb_array_length($1::jsonb)) THEN 1 ELSE 0 END AS whole
FROM lease`;

/**
 * One statement for all that nodes have taken: rows and executions. It changes nothing once an execution is
 * settled, so that a slow answer of a node cannot undo a fast receipt.
 */
export const ACCEPT = `
WITH item AS (
  SELECT * FROM jsonb_to_recordset($1::jsonb) AS one (id bigint, execution_id bigint, hash text, head_to_send_us integer)
), taken AS (
  UPDATE transactions t SET status = 'broadcast', updated_at = now()
  FROM item WHERE t.id = item.id AND ${isHeld('$2', '$3', '$4')}
  RETURNING t.id
), execution AS (
  UPDATE executions e SET status = 'submitted', tx_hash = item.hash, head_to_send_us = item.head_to_send_us
  FROM item JOIN taken USING (id) WHERE e.id = item.execution_id AND e.status IN ('authorised', 'submitted')
)
SELECT id FROM taken`;

/**
 * One statement: the version, and the row that follows the newest one. Either version may be mined, so the
 * row reserves the larger of the two. To repeat it changes nothing more.
 */
export const ADD_VERSION = `
WITH open AS (
  UPDATE transactions SET hash = $2::text, raw = $3::text, updated_at = now(),
    reserved_fee_wei = greatest(reserved_fee_wei, $6::numeric),
    reserved_loss_usd = greatest(reserved_loss_usd, $7::numeric)
  WHERE id = $1::bigint AND status IN ('prepared', 'broadcast') AND ${isHeld('$8', '$9', '$10')}
  RETURNING id, execution_id
), version AS (
  INSERT INTO transaction_versions (transaction_id, execution_id, hash, raw, kind, reason)
  SELECT id, execution_id, $2::text, $3::text, $4::text, $5::text FROM open
  ON CONFLICT (hash) DO NOTHING
)
SELECT id FROM open`;

/** One statement: it ends a row that was not mined, and takes its notional off the day. May be repeated. */
export const END = `
WITH before AS (
  SELECT id, execution_id, chain_id, booked_day FROM transactions
    WHERE id = $1::bigint AND ${isHeld('$3', '$4', '$5')} FOR UPDATE
), released AS (
  UPDATE daily_volume d SET notional_usd = d.notional_usd - e.notional_usd
  FROM before JOIN executions e ON e.id = before.execution_id WHERE d.chain_id = before.chain_id AND d.day = before.booked_day
)
UPDATE transactions t SET status = $2::text, block_number = NULL, block_hash = NULL, booked_day = NULL,
  updated_at = now()
FROM before WHERE t.id = before.id
RETURNING t.id`;

/**
 * One statement: row and execution as before the receipt, the notional booked again if it had been released,
 * and what was spent taken off the day to which it was booked.
 */
export const REOPEN = `
WITH before AS (
  SELECT id, execution_id, chain_id, sender, booked_day, spent_day, spent_fee_wei, spent_loss_usd
  FROM transactions WHERE id = $1::bigint AND status = 'mined' AND ${isHeld('$3', '$4', '$5')} FOR UPDATE
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
  RETURNING e.notional_usd, before.chain_id, before.booked_day
)
INSERT INTO daily_volume AS d (chain_id, day, notional_usd)
SELECT chain_id, $2::date, notional_usd FROM execution WHERE booked_day IS NULL
ON CONFLICT (chain_id, day) DO UPDATE SET notional_usd = d.notional_usd + excluded.notional_usd`;

/** Executions that were dropped, with the rows of which a version was signed for them. */
export const DROPPED = `
SELECT DISTINCT t.id, v.execution_id
FROM transaction_versions v JOIN transactions t ON t.id = v.transaction_id JOIN executions e ON e.id = v.execution_id
WHERE t.chain_id = $1 AND t.sender = $2 AND e.status = 'dropped' AND e.settled_at > now() - $3::int * interval '1 second'`;

/** One statement: row and execution as before the drop, and the notional booked again. */
export const REVIVE = `
WITH revived AS (
  UPDATE transactions SET execution_id = $2::bigint, hash = $3::text, raw = $4::text, status = 'broadcast',
    block_number = NULL, block_hash = NULL, booked_day = $5::date, updated_at = now()
  WHERE id = $1::bigint AND status IN ('failed', 'dropped') AND ${isHeld('$6', '$7', '$8')}
  RETURNING id, chain_id
), execution AS (
  UPDATE executions SET status = 'submitted', reason = NULL, settled_at = NULL, outcome = NULL,
    outcome_details = NULL
  WHERE id = $2::bigint AND EXISTS (SELECT FROM revived)
  RETURNING notional_usd
)
INSERT INTO daily_volume AS d (chain_id, day, notional_usd)
SELECT revived.chain_id, $5::date, notional_usd FROM execution, revived
ON CONFLICT (chain_id, day) DO UPDATE SET notional_usd = d.notional_usd + excluded.notional_usd`;
