import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What operators have set, the answers of requests with a key of their own, the filters of executions. */
export class Steering implements MigrationInterface {
  readonly name = 'Steering1767225600018';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}

const UP = `
-- What holds now, one row each. Who set what and when, operator_actions keeps.
CREATE TABLE steering (
  chain_id bigint NOT NULL,
  kind text NOT NULL CHECK (kind IN ('limit', 'paused', 'denied')),
  -- The key of the limit, the name of the market, or the address of the borrower.
  name text NOT NULL,
  -- Of a limit: USD with 8 decimals.
  value numeric(78, 0),
  reason text NOT NULL,
  actor text NOT NULL,
  since timestamptz NOT NULL,
  PRIMARY KEY (chain_id, kind, name)
);

-- Requests with an Idempotency-Key. Without an answer: it is being worked on.
CREATE TABLE answered_requests (
  chain_id bigint NOT NULL,
  actor text NOT NULL,
  key text NOT NULL,
  -- SHA-256 of method, path and body.
  request bytea NOT NULL,
  answer jsonb,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (chain_id, actor, key)
);

CREATE INDEX executions_by_status ON executions (chain_id, status, id);
CREATE INDEX executions_by_chain_outcome ON executions (chain_id, outcome, id) WHERE outcome IS NOT NULL;
CREATE INDEX executions_by_chain_borrower ON executions (chain_id, borrower, id);
`;

const DOWN = `
DROP INDEX executions_by_chain_borrower;
DROP INDEX executions_by_chain_outcome;
DROP INDEX executions_by_status;
DROP TABLE answered_requests;
DROP TABLE steering;
`;
