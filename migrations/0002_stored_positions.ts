import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Positions keep their state, and the search through the history keeps how far it came, apart from each other: a restart
 * goes on from the states, and the search from where it was killed.
 */
export class StoredPositions implements MigrationInterface {
  readonly name = 'StoredPositions1767225600002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}

const UP = `
-- The position as of its protocol's checkpoint, in a form of the protocol's own. NULL: not read yet.
ALTER TABLE positions ADD COLUMN state jsonb;

-- block_number, block_hash: the block of which the states are. The history has been searched for borrowers up to
-- history_scanned_to (-1: not begun) and is complete once that is history_goal or more. Either may come first.
ALTER TABLE checkpoints
  ALTER COLUMN block_number DROP NOT NULL,
  ALTER COLUMN block_hash DROP NOT NULL,
  ADD COLUMN history_scanned_to bigint CHECK (history_scanned_to >= -1),
  ADD COLUMN history_goal bigint CHECK (history_goal >= -1),
  ADD CONSTRAINT checkpoints_block CHECK (num_nulls(block_number, block_hash) <> 1),
  ADD CONSTRAINT checkpoints_history CHECK (num_nulls(history_scanned_to, history_goal) <> 1);

-- Until now a checkpoint said up to where borrowers are known, and no state was kept.
UPDATE checkpoints SET history_scanned_to = block_number, history_goal = block_number,
  block_number = NULL, block_hash = NULL;
`;

const DOWN = `
-- A checkpoint is again the block up to which no borrower is missing. Where that is not the block of the states, its hash
-- is unknown; the zeros match no block.
DELETE FROM checkpoints WHERE history_scanned_to IS NULL OR history_scanned_to < 0;
UPDATE checkpoints SET block_number = history_scanned_to, block_hash = '0x' || repeat('0', 64)
  WHERE block_number IS NULL OR history_scanned_to < history_goal;
ALTER TABLE checkpoints
  DROP COLUMN history_scanned_to,
  DROP COLUMN history_goal,
  DROP CONSTRAINT checkpoints_block,
  ALTER COLUMN block_number SET NOT NULL,
  ALTER COLUMN block_hash SET NOT NULL;
ALTER TABLE positions DROP COLUMN state;
`;
