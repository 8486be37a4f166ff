import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which writes have been made that may come again: after an answer that was lost, or after kill -9. And a
 * name of this database: what waits for it on a local disk must reach no other one.
 */
export class AppliedWrites implements MigrationInterface {
  readonly name = 'AppliedWrites1767225600011';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}

const UP = `
-- The row is written in the transaction of the write itself. So a write whose id is here is not made again.
CREATE TABLE applied_writes (
  id uuid        PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX applied_writes_by_age ON applied_writes (at);

CREATE TABLE database_identity (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid()
);
INSERT INTO database_identity DEFAULT VALUES;
`;

const DOWN = `
DROP TABLE database_identity, applied_writes;
`;
