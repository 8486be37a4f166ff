import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Finds what was decided in a period without reading all decisions: a page asks for it each few seconds. */
export class ExecutionsByTime implements MigrationInterface {
  readonly name = 'ExecutionsByTime1767225600022';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX executions_by_time ON executions (chain_id, created_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX executions_by_time');
  }
}
