import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Each review of the share of the gross profit that the bid model `by-inclusion` offers. */
export class BidReviews implements MigrationInterface {
  readonly name = 'BidReviews1767225600013';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}

const UP = `
CREATE TABLE bid_reviews (
  chain_id      bigint      NOT NULL,
  wallet        address     NOT NULL,
  -- From 1. Two processes that review the same submissions write the same row.
  number        bigint      NOT NULL CHECK (number > 0),
  from_bps      integer     NOT NULL CHECK (from_bps BETWEEN 0 AND 10000),
  to_bps        integer     NOT NULL CHECK (to_bps BETWEEN 0 AND 10000),
  sent          integer     NOT NULL CHECK (sent > 0),
  won           integer     NOT NULL CHECK (won BETWEEN 0 AND sent),
  inclusion_bps integer     NOT NULL,
  reason        text        NOT NULL,
  -- The last submission that it counted: the next review begins after it.
  last_settled_at timestamptz NOT NULL,
  last_execution  bigint      NOT NULL,
  reviewed_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (chain_id, wallet, number)
);
`;

const DOWN = `
DROP TABLE bid_reviews;
`;
