import type { Block } from '../../domain/block.js';
import type { Spend } from '../../domain/spend.js';
import { storableText, usd8ToText } from '../columns.js';
import { isHeld } from '../fence.js';
import type { MinedExecution } from './executions.js';
import type { RecordedRows } from './outbox-statements.js';

/** What was paid and lost, booked to a UTC day: YYYY-MM-DD. */
export interface BookedSpend extends Spend {
  readonly day: string;
}

/** What a confirmed receipt proved of a transaction, and of the execution that it carried out. */
export interface MinedEnd extends RecordedRows {
  readonly execution: MinedExecution;
  readonly block: Pick<Block, 'number' | 'hash'>;
  /** What its receipt says that it paid and lost, and the UTC day to which that is booked. */
  readonly spent: BookedSpend;
}

/** The columns of the end of an execution that `jsonb_to_recordset` reads, with their types. */
const TYPES = {
  status: 'text',
  reason: 'text',
  tx_hash: 'text',
  debt_covered: 'numeric',
  collateral_seized: 'numeric',
  realised_profit: 'numeric',
  realised_profit_usd: 'numeric',
  gas_used: 'numeric',
  fees_wei: 'numeric',
  outcome: 'text',
  outcome_details: 'jsonb',
} as const;

/**
 * One statement, so one transaction, for all receipts of a look: it writes the ends of executions and rows,
 * takes the notional of what covered no debt off its day, and books what was spent. To repeat it changes
 * nothing more. It tells to which day the spending of each is booked.
 */
export const SETTLE = `
WITH item AS (
  SELECT * FROM jsonb_to_recordset($1::jsonb) AS one (id bigint, execution_id bigint, block_number bigint,
    block_hash text, day date, fee_wei numeric, loss_usd numeric,
    ${Object.entries(TYPES)
      .map(([name, type]) => `${name} ${type}`)
      .join(', ')})
), before AS (
  SELECT t.id, t.execution_id, t.chain_id, t.sender, t.booked_day, t.spent_day
  FROM transactions t JOIN item ON item.id = t.id WHERE ${isHeld('$2', '$3', '$4')}
  ORDER BY t.id FOR UPDATE OF t
), released AS (
  UPDATE daily_volume d SET notional_usd = d.notional_usd - uncovered.notional_usd
  FROM (
    SELECT before.chain_id, before.booked_day AS day, sum(e.notional_usd) AS notional_usd
    FROM before JOIN item ON item.id = before.id JOIN executions e ON e.id = before.execution_id
    WHERE item.status <> 'succeeded' GROUP BY before.chain_id, before.booked_day
  ) uncovered WHERE d.chain_id = uncovered.chain_id AND d.day = uncovered.day
), spent AS (
  INSERT INTO daily_spend AS d (chain_id, sender, day, fee_wei, loss_usd)
  SELECT before.chain_id, before.sender, item.day, sum(item.fee_wei), sum(item.loss_usd)
  FROM before JOIN item ON item.id = before.id WHERE before.spent_day IS NULL
  GROUP BY before.chain_id, before.sender, item.day
  ON CONFLICT (chain_id, sender, day) DO UPDATE
    SET fee_wei = d.fee_wei + excluded.fee_wei, loss_usd = d.loss_usd + excluded.loss_usd
), execution AS (
  UPDATE executions e SET settled_at = now(), ${Object.keys(TYPES)
    .map((name) => `${name} = item.${name}`)
    .join(', ')}
  FROM item JOIN before ON before.id = item.id WHERE e.id = item.execution_id
)
UPDATE transactions t SET status = 'mined', block_number = item.block_number, block_hash = item.block_hash,
  booked_day = CASE WHEN item.status = 'succeeded' THEN t.booked_day END,
  spent_day = coalesce(t.spent_day, item.day), spent_fee_wei = coalesce(t.spent_fee_wei, item.fee_wei),
  spent_loss_usd = coalesce(t.spent_loss_usd, item.loss_usd), updated_at = now()
FROM before JOIN item ON item.id = before.id WHERE t.id = before.id
RETURNING t.id, t.spent_day::text, t.spent_fee_wei::text, t.spent_loss_usd::text`;

/** An end as JSON that {@link SETTLE} reads. Amounts are decimal text, so that no float is between. */
export function settleValues({
  outboxId,
  executionId,
  execution,
  block,
  spent,
}: MinedEnd): Record<string, unknown> {
  const succeeded = execution.status === 'succeeded' ? execution : undefined;
  const end: Record<keyof typeof TYPES, unknown> = {
    status: execution.status,
    reason: succeeded || !('reason' in execution) ? null : storableText(execution.reason),
    tx_hash: execution.txHash,
    debt_covered: succeeded?.debtCovered ?? null,
    collateral_seized: succeeded?.collateralSeized ?? null,
    realised_profit: succeeded?.realisedProfit ?? null,
    realised_profit_usd: usd8ToText(execution.realisedProfitUsd8),
    gas_used: execution.gasUsed,
    fees_wei: execution.feesWei,
    outcome: execution.outcome,
    outcome_details: execution.outcomeDetails,
  };
  return {
    id: outboxId,
    execution_id: executionId,
    block_number: block.number,
    block_hash: block.hash,
    day: spent.day,
    fee_wei: spent.feeWei,
    loss_usd: usd8ToText(spent.lossUsd8),
    ...end,
  };
}
