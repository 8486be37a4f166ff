import { isHeld } from '../fence.js';

// The statements of the outbox. Each is a transaction of its own, and each that writes is fenced.

/**
 * One statement, so one transaction: the row with its reservation, the execution's `authorised`, the day's
 * volume. A nonce whose transaction failed or was dropped serves again; its row then belongs to the new
 * intent.
 */
export const RECORD = `
WITH lease AS (
  SELECT ${isHeld('$2', '$3', '$11')} AS held
), ready AS (
  SELECT id FROM executions WHERE id = $1::bigint AND status = 'planned' FOR UPDATE
), intent AS (
  INSERT INTO transactions AS t (execution_id, chain_id, sender, nonce, hash, raw, door, status, booked_day,
    reserved_fee_wei, reserved_loss_usd)
  SELECT $1::bigint, $2::bigint, $3::text, $4::bigint, $5::text, $6::text, $8::text, 'prepared',
    CASE WHEN $1::bigint IS NOT NULL THEN $7::date END, $9::numeric, $10::numeric
  WHERE (SELECT held FROM lease) AND ($1::bigint IS NULL OR EXISTS (SELECT FROM ready))
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
SELECT held, (SELECT id FROM intent) AS id FROM lease`;

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

/**
 * One statement: it ends the row, takes its notional off the day, and books what it spent. To repeat it
 * changes nothing more. It tells to which day the spending is booked.
 */
export const END = `
WITH before AS (
  SELECT id, execution_id, chain_id, sender, booked_day, spent_day FROM transactions
    WHERE id = $1::bigint AND ${isHeld('$9', '$10', '$11')} FOR UPDATE
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
  RETURNING e.notional_usd, before.booked_day
)
INSERT INTO daily_volume AS d (day, notional_usd)
SELECT $2::date, notional_usd FROM execution WHERE booked_day IS NULL
ON CONFLICT (day) DO UPDATE SET notional_usd = d.notional_usd + excluded.notional_usd`;

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
  RETURNING id
), execution AS (
  UPDATE executions SET status = 'submitted', reason = NULL, settled_at = NULL, outcome = NULL,
    outcome_details = NULL
  WHERE id = $2::bigint AND EXISTS (SELECT FROM revived)
  RETURNING notional_usd
)
INSERT INTO daily_volume AS d (day, notional_usd) SELECT $5::date, notional_usd FROM execution
ON CONFLICT (day) DO UPDATE SET notional_usd = d.notional_usd + excluded.notional_usd`;
