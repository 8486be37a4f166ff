import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which market of a contract a decision is about, where the contract has several. It is a part of the
 * decision: `refuse_change_of_decision` (0006) names the columns that may change, and this is none of them.
 */
export class MarketIds implements MigrationInterface {
  readonly name = 'MarketIds1767225600015';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}

const UP = `
-- NULL: the contract is the market.
ALTER TABLE executions ADD COLUMN market_id hash32;
DROP INDEX executions_by_borrower;
CREATE INDEX executions_by_position ON executions (protocol, borrower, market_id, id);
`;

const DOWN = `
DROP INDEX executions_by_position;
CREATE INDEX executions_by_borrower ON executions (protocol, borrower, id);
ALTER TABLE executions DROP COLUMN market_id;
`;
