import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Stores every signed version of a transaction: the first, each fee bump, and a cancellation. Any of them may
 * be the one that is mined. An execution whose cancellation was mined is `cancelled`.
 */
export class TransactionVersions implements MigrationInterface {
  readonly name = 'TransactionVersions1767225600007';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}

const UP = `
-- transaction_id: the nonce. execution_id: what the version was signed for; a nonce whose transaction was dropped
-- may serve another execution, and the older version may still be mined. reason: why it replaces the one before it.
CREATE TABLE transaction_versions (
  id             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  transaction_id bigint      NOT NULL REFERENCES transactions (id),
  execution_id   bigint      REFERENCES executions (id),
  hash           hash32      NOT NULL UNIQUE,
  raw            text        NOT NULL CHECK (raw ~ '^0x([0-9a-f]{2})+$'),
  kind           text        NOT NULL CHECK (kind IN ('first', 'bump', 'cancellation')),
  reason         text,
  created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX transaction_versions_by_transaction ON transaction_versions (transaction_id, id);

INSERT INTO transaction_versions (transaction_id, execution_id, hash, raw, kind, created_at)
  SELECT id, execution_id, hash, raw, 'first', created_at FROM transactions ORDER BY id;

ALTER TABLE executions
  DROP CONSTRAINT executions_status_check,
  ADD CONSTRAINT executions_status_check CHECK (status IN
    ('planned', 'rejected', 'dry-run', 'authorised', 'submitted', 'succeeded', 'reverted', 'dropped', 'cancelled'));
`;

const DOWN = `
UPDATE executions SET status = 'dropped' WHERE status = 'cancelled';
ALTER TABLE executions
  DROP CONSTRAINT executions_status_check,
  ADD CONSTRAINT executions_status_check CHECK (status IN
    ('planned', 'rejected', 'dry-run', 'authorised', 'submitted', 'succeeded', 'reverted', 'dropped'));
DROP TABLE transaction_versions;
`;
