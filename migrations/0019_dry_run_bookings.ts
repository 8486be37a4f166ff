import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a dry run counts against the limits of a day. It is a part of the decision: it never changes. */
export class DryRunBookings implements MigrationInterface {
  readonly name = 'DryRunBookings1767225600019';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}

const UP = `
-- The UTC day to which a dry run booked it. NULL: it was counted before, or is no decision of a dry run.
ALTER TABLE executions ADD COLUMN dry_run_day date CHECK (dry_run_day IS NULL OR mode = 'dry-run');
CREATE INDEX executions_by_dry_run_day ON executions (chain_id, dry_run_day) WHERE dry_run_day IS NOT NULL;
`;

const DOWN = `
DROP INDEX executions_by_dry_run_day;
ALTER TABLE executions DROP COLUMN dry_run_day;
`;
