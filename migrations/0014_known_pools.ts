import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The pools that were followed last: a restart reads them without looking for them first. */
export class KnownPools implements MigrationInterface {
  readonly name = 'KnownPools1767225600014';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}

const UP = `
CREATE TABLE known_pools (
  chain_id  bigint  NOT NULL,
  address   address NOT NULL,
  factory   address NOT NULL,
  -- In the order of the contract.
  token0    address NOT NULL,
  token1    address NOT NULL,
  -- By which the factory knows it: a fee, a spacing of ticks, or 1 for a stable curve.
  parameter integer NOT NULL,
  PRIMARY KEY (chain_id, address)
);
`;

const DOWN = `
DROP TABLE known_pools;
`;
