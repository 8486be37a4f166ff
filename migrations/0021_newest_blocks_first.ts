import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A search for borrowers may begin with the newest blocks. */
export class NewestBlocksFirst implements MigrationInterface {
  readonly name = 'NewestBlocksFirst1767225600021';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE checkpoints DROP COLUMN history_from');
  }
}

const UP = `
-- From this block up to history_goal it was searched too. NULL: only up to history_scanned_to.
ALTER TABLE checkpoints ADD COLUMN history_from bigint;
`;
