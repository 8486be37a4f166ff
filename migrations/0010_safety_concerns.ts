import type { MigrationInterface, QueryRunner } from 'typeorm';

/** All that is wrong, each with its cause; and the cause and the numbers of each change of the state. */
export class SafetyConcerns implements MigrationInterface {
  readonly name = 'SafetyConcerns1767225600010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}

const UP = `
ALTER TABLE safety_state
  ADD COLUMN cause       text,
  ADD COLUMN numbers     jsonb       NOT NULL DEFAULT '{}',
  ADD COLUMN concerns    jsonb       NOT NULL DEFAULT '[]',
  ADD COLUMN rates_since timestamptz NOT NULL DEFAULT to_timestamp(0);

-- What throttled or halted before this version stands on, until an operator resumes.
UPDATE safety_state SET
  cause = CASE actor WHEN 'chimera' THEN 'bug' ELSE 'operator' END,
  concerns = jsonb_build_array(jsonb_build_object(
    'cause', CASE actor WHEN 'chimera' THEN 'bug' ELSE 'operator' END, 'level', state, 'reason', reason,
    'actor', actor, 'sinceMs', floor(extract(epoch FROM since) * 1000), 'numbers', '{}'::jsonb))
  WHERE state <> 'NORMAL';

ALTER TABLE state_transitions
  ADD COLUMN cause   text,
  ADD COLUMN numbers jsonb NOT NULL DEFAULT '{}';
`;

const DOWN = `
ALTER TABLE state_transitions
  DROP COLUMN cause,
  DROP COLUMN numbers;

ALTER TABLE safety_state
  DROP COLUMN cause,
  DROP COLUMN numbers,
  DROP COLUMN concerns,
  DROP COLUMN rates_since;
`;
