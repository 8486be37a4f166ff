import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A transaction holds the most that it may cost, so that its row reserves that much of the budgets until it
 * is settled. It also holds what it really paid, so that a reorg takes back exactly that. daily_spend sums
 * that by day.
 */
export class ReservedSpending implements MigrationInterface {
  readonly name = 'ReservedSpending1767225600005';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}

const UP = `
-- reserved_*: the most that it may pay, and lose if it reverts. NULL: a row from before; its raw bytes tell.
-- spent_*: what its receipt says, and the UTC day to which that is booked. NULL: it has paid nothing (yet).
ALTER TABLE transactions
  ADD COLUMN reserved_fee_wei   numeric(78,0) CHECK (reserved_fee_wei >= 0),
  ADD COLUMN reserved_loss_usd  numeric(30,8) CHECK (reserved_loss_usd >= 0),
  ADD COLUMN spent_day          date,
  ADD COLUMN spent_fee_wei      numeric(78,0) CHECK (spent_fee_wei >= 0),
  ADD COLUMN spent_loss_usd     numeric(30,8) CHECK (spent_loss_usd >= 0),
  ADD CONSTRAINT transactions_spent_in_full CHECK (num_nulls(spent_day, spent_fee_wei, spent_loss_usd) IN (0, 3));

CREATE TABLE daily_spend (
  chain_id bigint        NOT NULL,
  sender   address       NOT NULL,
  day      date          NOT NULL,
  fee_wei  numeric(78,0) NOT NULL CHECK (fee_wei >= 0),
  loss_usd numeric(30,8) NOT NULL CHECK (loss_usd >= 0),
  PRIMARY KEY (chain_id, sender, day)
);
`;

const DOWN = `
DROP TABLE daily_spend;
ALTER TABLE transactions
  DROP COLUMN reserved_fee_wei,
  DROP COLUMN reserved_loss_usd,
  DROP COLUMN spent_day,
  DROP COLUMN spent_fee_wei,
  DROP COLUMN spent_loss_usd;
`;
