import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Bots of several chains share a database, and each chain has its own safety state, volume and history. */
export class ChainsOfSafety implements MigrationInterface {
  readonly name = 'ChainsOfSafety1767225600017';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}

const UP = `
-- What is there belongs to the only chain that the database knows. Where it knows none, or several, it is 0: of
-- every chain. The constant default writes no row anew, so the triggers of the append-only tables refuse nothing.
DO $$
DECLARE
  known bigint;
  one text;
BEGIN
  SELECT CASE WHEN count(DISTINCT chain_id) = 1 THEN min(chain_id) ELSE 0 END INTO known FROM (
    SELECT chain_id FROM leases UNION ALL SELECT chain_id FROM transactions UNION ALL SELECT chain_id FROM known_pools
    UNION ALL SELECT chain_id FROM checkpoints UNION ALL SELECT chain_id FROM reports
    UNION ALL SELECT chain_id FROM executions WHERE chain_id IS NOT NULL
  ) AS seen WHERE chain_id <> 0;
  FOREACH one IN ARRAY ARRAY['safety_state', 'daily_volume', 'state_transitions', 'operator_actions', 'divergences']
  LOOP
    EXECUTE format('ALTER TABLE %I ADD COLUMN chain_id bigint NOT NULL DEFAULT %s', one, known);
    EXECUTE format('ALTER TABLE %I ALTER COLUMN chain_id DROP DEFAULT', one);
  END LOOP;
END
$$;

-- The row 0 is what a chain begins with that has no row of its own. It keeps a halt and a throttle: the bots of
-- all chains stood still by it, and an operator has to resume each of them.
ALTER TABLE safety_state DROP CONSTRAINT safety_state_pkey, DROP COLUMN id, ADD PRIMARY KEY (chain_id);
INSERT INTO safety_state
  (chain_id, state, reason, actor, consecutive_failures, since, version, cause, numbers, concerns, rates_since)
SELECT 0, state, reason, actor, consecutive_failures, since, version, cause, numbers, concerns, rates_since
  FROM safety_state WHERE chain_id <> 0;
UPDATE safety_state SET reason = 'first start', actor = 'chimera', cause = NULL, numbers = '{}',
    consecutive_failures = 0, since = now(), version = 1, rates_since = to_timestamp(0)
  WHERE chain_id = 0 AND state = 'NORMAL' AND EXISTS (SELECT FROM safety_state WHERE chain_id <> 0);
UPDATE safety_state SET reason = reason || ' (of all chains: from before each had its own state)',
    concerns = (SELECT coalesce(jsonb_agg(concern || jsonb_build_object('reason',
        concern->>'reason' || ' (of all chains: from before each had its own state)') ORDER BY place), '[]')
      FROM jsonb_array_elements(concerns) WITH ORDINALITY AS each_one (concern, place))
  WHERE chain_id = 0 AND state <> 'NORMAL';

-- Which chain booked what, the transactions tell. What they do not explain stays as it is.
ALTER TABLE daily_volume DROP CONSTRAINT daily_volume_pkey, ADD PRIMARY KEY (chain_id, day);
INSERT INTO daily_volume AS d (chain_id, day, notional_usd)
SELECT t.chain_id, t.booked_day, sum(e.notional_usd) FROM transactions t JOIN executions e ON e.id = t.execution_id
  WHERE t.booked_day IS NOT NULL AND EXISTS (SELECT FROM daily_volume v WHERE v.chain_id = 0 AND v.day = t.booked_day)
  GROUP BY t.chain_id, t.booked_day;
UPDATE daily_volume d SET notional_usd = greatest(d.notional_usd - told.notional_usd, 0)
  FROM (SELECT day, sum(notional_usd) AS notional_usd FROM daily_volume WHERE chain_id <> 0 GROUP BY day) AS told
  WHERE d.chain_id = 0 AND d.day = told.day;

CREATE INDEX state_transitions_by_chain ON state_transitions (chain_id, id);
CREATE INDEX operator_actions_by_chain ON operator_actions (chain_id, id);
CREATE INDEX executions_by_chain ON executions (chain_id, id);
DROP INDEX divergences_by_account;
CREATE INDEX divergences_by_account ON divergences (chain_id, protocol, account, id);
`;

const DOWN = `
DROP INDEX divergences_by_account;
ALTER TABLE divergences DROP COLUMN chain_id;
CREATE INDEX divergences_by_account ON divergences (protocol, account, id);
DROP INDEX executions_by_chain;
DROP INDEX state_transitions_by_chain;
DROP INDEX operator_actions_by_chain;
ALTER TABLE operator_actions DROP COLUMN chain_id;
ALTER TABLE state_transitions DROP COLUMN chain_id;

-- The days of all chains are one again.
ALTER TABLE daily_volume DROP CONSTRAINT daily_volume_pkey;
INSERT INTO daily_volume (chain_id, day, notional_usd) SELECT -1, day, sum(notional_usd) FROM daily_volume GROUP BY day;
DELETE FROM daily_volume WHERE chain_id <> -1;
ALTER TABLE daily_volume DROP COLUMN chain_id, ADD PRIMARY KEY (day);

-- The worst state of the chains stays, and of each cause the worst concern of any chain: no halt is lost.
DELETE FROM safety_state WHERE chain_id = 0 AND EXISTS (SELECT FROM safety_state WHERE chain_id <> 0);
WITH concern AS (
  SELECT DISTINCT ON (one->>'cause') one FROM safety_state, jsonb_array_elements(concerns) AS one
  ORDER BY one->>'cause', one->>'level' = 'HALTED' DESC, one->'sinceMs'
)
UPDATE safety_state SET version = total.version + 1, consecutive_failures = total.failures,
    concerns = (SELECT coalesce(jsonb_agg(one ORDER BY one->'sinceMs'), '[]') FROM concern)
  FROM (SELECT max(version) AS version, max(consecutive_failures) AS failures FROM safety_state) AS total;
DELETE FROM safety_state WHERE chain_id <> (SELECT chain_id FROM safety_state
  ORDER BY array_position(ARRAY['HALTED', 'THROTTLED', 'NORMAL'], state), since, chain_id LIMIT 1);
ALTER TABLE safety_state DROP CONSTRAINT safety_state_pkey, DROP COLUMN chain_id,
  ADD COLUMN id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1);
`;
