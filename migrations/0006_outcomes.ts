import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Stores what became of each transaction: won, lost, stale, refused or malfunction, and what it cost. */
export class Outcomes implements MigrationInterface {
  readonly name = 'Outcomes1767225600006';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}

/** The guard of the table executions: these columns may change, the decision may not. */
const guard = (columns: readonly string[]): string => `
CREATE OR REPLACE FUNCTION refuse_change_of_decision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  outcome CONSTANT text[] := ARRAY[${columns.map((column) => `'${column}'`).join(', ')}];
BEGIN
  IF to_jsonb(NEW) - outcome IS DISTINCT FROM to_jsonb(OLD) - outcome THEN
    RAISE EXCEPTION '% is append-only but for the outcome: UPDATE is refused', TG_TABLE_NAME
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
`;

/** The columns of the first migration. */
const BEFORE = [
  ...['status', 'reason', 'tx_hash', 'debt_covered', 'collateral_seized', 'realised_profit'],
  ...['realised_profit_usd', 'gas_used', 'head_to_send_us', 'settled_at'],
];

const UP = `
-- NULL: nothing was signed, it is still in flight, or the row is from before outcomes were stored.
-- outcome_details: our tip and the rival's transaction. fees_wei: everything that the transaction paid.
ALTER TABLE executions
  ADD COLUMN outcome text CHECK (outcome IN ('won', 'lost', 'stale', 'refused', 'malfunction')),
  ADD COLUMN outcome_details jsonb,
  ADD COLUMN fees_wei numeric(78,0);
CREATE INDEX executions_by_outcome ON executions (settled_at) WHERE outcome IS NOT NULL;
${guard([...BEFORE, 'outcome', 'outcome_details', 'fees_wei'])}`;

const DOWN = `
DROP INDEX executions_by_outcome;
ALTER TABLE executions
  DROP COLUMN outcome,
  DROP COLUMN outcome_details,
  DROP COLUMN fees_wei;
${guard(BEFORE)}`;
