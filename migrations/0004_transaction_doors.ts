import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A transaction remembers by which door it leaves, so that a restart sends it again by the same one and by no
 * other.
 */
export class TransactionDoors implements MigrationInterface {
  readonly name = 'TransactionDoors1767225600004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}

const UP = `
-- door: the name that execution.paths gives it. NULL: a row from before, when there was only the public one.
ALTER TABLE transactions ADD COLUMN door text;
`;

const DOWN = `
ALTER TABLE transactions DROP COLUMN door;
`;
