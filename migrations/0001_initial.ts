import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The first tables. Amounts are numeric(78,0), which holds every uint256. USD is numeric(30,8). Hashes and
 * addresses are lower-case hex, so that they compare as text.
 */
export class Initial implements MigrationInterface {
  readonly name = 'Initial1767225600001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}

const UP = `
CREATE DOMAIN address AS text CHECK (VALUE ~ '^0x[0-9a-f]{40}$');
CREATE DOMAIN hash32 AS text CHECK (VALUE ~ '^0x[0-9a-f]{64}$');

-- The block up to which the borrowers of a protocol are known.
CREATE TABLE checkpoints (
  protocol     text        PRIMARY KEY,
  block_number bigint      NOT NULL CHECK (block_number >= 0),
  block_hash   hash32      NOT NULL,
  updated_at   timestamptz NOT NULL DEFAULT now()
);

-- Every account that has borrowed, so that a restart need not search the whole history again.
CREATE TABLE positions (
  protocol text    NOT NULL,
  account  address NOT NULL,
  PRIMARY KEY (protocol, account)
);

-- One row for each plan that was simulated or checked by safety. Only its outcome changes afterwards.
CREATE TABLE executions (
  id                       bigint        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  protocol                 text          NOT NULL,
  borrower                 address       NOT NULL,
  block_number             bigint        NOT NULL CHECK (block_number >= 0),
  block_hash               hash32        NOT NULL,
  health_factor            numeric(78,0) NOT NULL,
  collateral_asset         address,
  debt_asset               address,
  debt_to_cover            numeric(78,0),
  expected_collateral      numeric(78,0),
  simulated_profit_usd     numeric(30,8),
  gas_cost_usd             numeric(30,8),
  l1_fee_usd               numeric(30,8),
  operator_fee_usd         numeric(30,8),
  pool_fee_usd             numeric(30,8),
  bid_usd                  numeric(30,8),
  simulated_net_profit_usd numeric(30,8),
  notional_usd             numeric(30,8),
  mode                     text          NOT NULL CHECK (mode IN ('dry-run', 'live')),
  plan                     jsonb         NOT NULL,
  created_at               timestamptz   NOT NULL DEFAULT now(),
  -- The outcome:
  status                   text          NOT NULL CHECK (status IN
    ('planned', 'rejected', 'dry-run', 'authorised', 'submitted', 'succeeded', 'reverted', 'dropped')),
  reason                   text,
  tx_hash                  hash32,
  debt_covered             numeric(78,0),
  collateral_seized        numeric(78,0),
  realised_profit          numeric(78,0),
  realised_profit_usd      numeric(30,8),
  gas_used                 numeric(78,0),
  head_to_send_us          integer       CHECK (head_to_send_us >= 0),
  settled_at               timestamptz,
  CONSTRAINT executions_planned_in_full CHECK (status = 'rejected' OR num_nulls(
    collateral_asset, debt_asset, debt_to_cover, expected_collateral, simulated_profit_usd, gas_cost_usd, l1_fee_usd,
    operator_fee_usd, pool_fee_usd, bid_usd, simulated_net_profit_usd, notional_usd) = 0)
);
CREATE INDEX executions_by_borrower ON executions (protocol, borrower, id);
CREATE INDEX executions_open ON executions (id) WHERE status IN ('authorised', 'submitted');

-- The outbox: a transaction is broadcast only after its row is committed.
-- There is one intent for each (chain, sender, nonce).
CREATE TABLE transactions (
  id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  execution_id bigint      REFERENCES executions (id),
  chain_id     bigint      NOT NULL,
  sender       address     NOT NULL,
  nonce        bigint      NOT NULL CHECK (nonce >= 0),
  hash         hash32      NOT NULL UNIQUE,
  raw          text        NOT NULL CHECK (raw ~ '^0x([0-9a-f]{2})+$'),
  status       text        NOT NULL CHECK (status IN ('prepared', 'broadcast', 'mined', 'failed', 'dropped')),
  block_number bigint      CHECK (block_number >= 0),
  created_at   timestamptz NOT NULL DEFAULT now(),
  updated_at   timestamptz NOT NULL DEFAULT now(),
  UNIQUE (chain_id, sender, nonce)
);
CREATE INDEX transactions_by_execution ON transactions (execution_id);
CREATE INDEX transactions_unsettled ON transactions (chain_id, sender, nonce) WHERE status IN ('prepared', 'broadcast');

CREATE TABLE safety_state (
  id                   integer     PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  state                text        NOT NULL CHECK (state IN ('NORMAL', 'THROTTLED', 'HALTED')),
  reason               text        NOT NULL,
  actor                text        NOT NULL,
  consecutive_failures integer     NOT NULL CHECK (consecutive_failures >= 0),
  since                timestamptz NOT NULL,
  version              bigint      NOT NULL
);
INSERT INTO safety_state (state, reason, actor, consecutive_failures, since, version)
  VALUES ('NORMAL', 'first start', 'chimera', 0, now(), 1);

CREATE TABLE state_transitions (
  id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  from_state text        NOT NULL,
  to_state   text        NOT NULL,
  reason     text        NOT NULL,
  actor      text        NOT NULL,
  at         timestamptz NOT NULL
);

CREATE TABLE daily_volume (
  day          date          PRIMARY KEY,
  notional_usd numeric(30,8) NOT NULL CHECK (notional_usd >= 0)
);

CREATE TABLE operator_actions (
  id     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  actor  text        NOT NULL,
  role   text        NOT NULL,
  action text        NOT NULL,
  reason text        NOT NULL,
  at     timestamptz NOT NULL,
  remote text
);

-- Positions whose values differed from the chain's.
CREATE TABLE divergences (
  id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  protocol     text        NOT NULL,
  account      address     NOT NULL,
  block_number bigint      NOT NULL CHECK (block_number >= 0),
  block_hash   hash32      NOT NULL,
  detail       jsonb       NOT NULL,
  at           timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX divergences_by_account ON divergences (protocol, account, id);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION refuse_change_of_decision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  outcome CONSTANT text[] := ARRAY['status', 'reason', 'tx_hash', 'debt_covered', 'collateral_seized', 'realised_profit',
    'realised_profit_usd', 'gas_used', 'head_to_send_us', 'settled_at'];
BEGIN
  IF to_jsonb(NEW) - outcome IS DISTINCT FROM to_jsonb(OLD) - outcome THEN
    RAISE EXCEPTION '% is append-only but for the outcome: UPDATE is refused', TG_TABLE_NAME
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER keep_rows BEFORE DELETE OR TRUNCATE ON executions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_decision BEFORE UPDATE ON executions
  FOR EACH ROW EXECUTE FUNCTION refuse_change_of_decision();
CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE OR TRUNCATE ON state_transitions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE OR TRUNCATE ON operator_actions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
`;

const DOWN = `
DROP TABLE divergences, operator_actions, daily_volume, state_transitions, safety_state, transactions, executions,
  positions, checkpoints;
DROP FUNCTION refuse_change_of_decision, refuse_change;
DROP DOMAIN hash32, address;
`;
