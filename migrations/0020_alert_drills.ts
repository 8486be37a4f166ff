import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What came of drills: which alert went through which channel, and whether the other side took it. */
export class AlertDrills implements MigrationInterface {
  readonly name = 'AlertDrills1767225600020';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE alert_drills');
  }
}

const UP = `
CREATE TABLE alert_drills (
  chain_id bigint NOT NULL,
  -- The messages of one drill share it.
  drill uuid NOT NULL,
  rule text NOT NULL,
  -- The name of the channel in the configuration.
  channel text NOT NULL,
  kind text NOT NULL,
  -- Why it was not accepted; null when it was.
  refusal text,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (chain_id, drill, rule, channel)
);

CREATE INDEX alert_drills_by_time ON alert_drills (chain_id, at);
`;
