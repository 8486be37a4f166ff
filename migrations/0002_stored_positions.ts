import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Stores the states of positions and, apart from them, how far the history has been searched. After a restart
 * the bot goes on from the stored states, and the search from where it was stopped.
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
-- The position at the block of its protocol's checkpoint, in a form of the protocol's own.
-- NULL: not read yet.
ALTER TABLE positions ADD COLUMN state jsonb;

-- block_number, block_hash: the block of the stored states. The history has been searched for borrowers up to
-- history_scanned_to (-1: not begun). The search is complete when that is history_goal or more.
-- The two pairs are independent of each other.
ALTER TABLE checkpoints
  ALTER COLUMN block_number DROP NOT NULL,
  ALTER COLUMN block_hash DROP NOT NULL,
  ADD COLUMN history_scanned_to bigint CHECK (history_scanned_to >= -1),
  ADD COLUMN history_goal bigint CHECK (history_goal >= -1),
  ADD CONSTRAINT checkpoints_block CHECK (num_nulls(block_number, block_hash) <> 1),
  ADD CONSTRAINT checkpoints_history CHECK (num_nulls(history_scanned_to, history_goal) <> 1);

-- Until now a checkpoint was the block up to which borrowers are known, and no states were stored.
UPDATE checkpoints SET history_scanned_to = block_number, history_goal = block_number,
  block_number = NULL, block_hash = NULL;
`;

const DOWN = `
-- A checkpoint is again the block up to which no borrower is missing. If that is not the block of the states,
-- its hash is not known: zeros match no block.
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
