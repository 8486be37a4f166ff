import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which reports of a day or a week were made: each is sent once, over restarts and by one process. */
export class Reports implements MigrationInterface {
  readonly name = 'Reports1767225600012';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}

const UP = `
CREATE TABLE reports (
  chain_id bigint      NOT NULL,
  wallet   address     NOT NULL,
  kind     text        NOT NULL CHECK (kind IN ('day', 'week')),
  -- The first day that it covers.
  day      date        NOT NULL,
  made_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (chain_id, wallet, kind, day)
);
CREATE INDEX executions_by_rejection ON executions (created_at) WHERE status = 'rejected';
`;

const DOWN = `
DROP INDEX executions_by_rejection;
DROP TABLE reports;
`;
