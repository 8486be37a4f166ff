import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Stores the block that settled a transaction, so that a reorg of that block is noticed after a restart too.
 * Stores the day whose volume counts it, so that booking and releasing can be repeated without harm.
 */
export class ReopenedTransactions implements MigrationInterface {
  readonly name = 'ReopenedTransactions1767225600003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}

const UP = `
-- block_hash: the block in which it was mined. booked_day: the UTC day whose volume counts it; NULL: no day.
-- Older rows have neither. They are not reopened, and their volume stays booked.
ALTER TABLE transactions
  ADD COLUMN block_hash hash32,
  ADD COLUMN booked_day date;
`;

const DOWN = `
ALTER TABLE transactions
  DROP COLUMN block_hash,
  DROP COLUMN booked_day;
`;
