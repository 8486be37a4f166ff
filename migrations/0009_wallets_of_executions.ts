import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which wallet a decision was made for. Processes with different wallets may share a database: what one finds
 * at its start must be its own.
 */
export class WalletsOfExecutions implements MigrationInterface {
  readonly name = 'WalletsOfExecutions1767225600009';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}

const UP = `
-- NULL: the row is from before wallets were stored, and nothing was signed for it.
ALTER TABLE executions
  ADD COLUMN chain_id bigint,
  ADD COLUMN wallet address;

ALTER TABLE executions DISABLE TRIGGER keep_decision;
UPDATE executions e SET chain_id = t.chain_id, wallet = t.sender
  FROM transaction_versions v JOIN transactions t ON t.id = v.transaction_id WHERE v.execution_id = e.id;
ALTER TABLE executions ENABLE TRIGGER keep_decision;
`;

const DOWN = `
ALTER TABLE executions
  DROP COLUMN chain_id,
  DROP COLUMN wallet;
`;
