import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Bots of several chains share a database, and each may call its market `aave`. */
export class ChainsOfPositions implements MigrationInterface {
  readonly name = 'ChainsOfPositions1767225600016';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}

const UP = `
-- What is there belongs to the only chain that the database knows. Where it knows none, or several, it is 0: the
-- first bot with such a market takes it over. The constant default writes no row anew.
DO $$
DECLARE
  known bigint;
BEGIN
  SELECT CASE WHEN count(DISTINCT chain_id) = 1 THEN min(chain_id) ELSE 0 END INTO known FROM (
    SELECT chain_id FROM leases UNION ALL SELECT chain_id FROM transactions UNION ALL SELECT chain_id FROM known_pools
  ) AS seen;
  EXECUTE format('ALTER TABLE checkpoints ADD COLUMN chain_id bigint NOT NULL DEFAULT %s', known);
  EXECUTE format('ALTER TABLE positions ADD COLUMN chain_id bigint NOT NULL DEFAULT %s', known);
END
$$;
ALTER TABLE checkpoints ALTER COLUMN chain_id DROP DEFAULT, DROP CONSTRAINT checkpoints_pkey,
  ADD PRIMARY KEY (chain_id, protocol);
ALTER TABLE positions ALTER COLUMN chain_id DROP DEFAULT, DROP CONSTRAINT positions_pkey,
  ADD PRIMARY KEY (chain_id, protocol, account);
`;

const DOWN = `
-- Of markets with one name on several chains, that of the lowest id stays.
DELETE FROM checkpoints AS one USING checkpoints AS other
  WHERE one.protocol = other.protocol AND one.chain_id > other.chain_id;
DELETE FROM positions AS one USING positions AS other
  WHERE one.protocol = other.protocol AND one.chain_id > other.chain_id;
ALTER TABLE checkpoints DROP CONSTRAINT checkpoints_pkey, DROP COLUMN chain_id, ADD PRIMARY KEY (protocol);
ALTER TABLE positions DROP CONSTRAINT positions_pkey, DROP COLUMN chain_id, ADD PRIMARY KEY (protocol, account);
`;
