import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which process signs with a wallet, so that a second process with the same key stands by. */
export class Leases implements MigrationInterface {
  readonly name = 'Leases1767225600008';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}

const UP = `
-- One row for each wallet. epoch grows with every process that takes the lease: a write that was made under
-- an older epoch is refused. All times are of this server.
CREATE TABLE leases (
  chain_id    bigint      NOT NULL,
  wallet      address     NOT NULL,
  epoch       bigint      NOT NULL CHECK (epoch > 0),
  holder      text        NOT NULL,
  acquired_at timestamptz NOT NULL,
  renewed_at  timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  PRIMARY KEY (chain_id, wallet)
);
`;

const DOWN = `
DROP TABLE leases;
`;
