import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A settled transaction remembers by which block, so that a reorg which takes that block back is noticed after a restart too,
 * and an unsettled one which day's volume it is booked to, so that booking and releasing can be repeated without harm.
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
-- block_hash: of the block in which it was mined. booked_day: the UTC day whose volume counts it; NULL: none does. Older rows
-- have neither: they are not reopened, and what they booked stays booked.
ALTER TABLE transactions
  ADD COLUMN block_hash hash32,
  ADD COLUMN booked_day date;
`;

const DOWN = `
ALTER TABLE transactions
  DROP COLUMN block_hash,
  DROP COLUMN booked_day;
`;
