import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Json } from '../../domain/json.js';
import { RetryError } from '../../domain/errors.js';
import type { Address, Hash } from '../../domain/hex.js';
import { Database } from '../database.js';
import { CheckpointRow } from '../entities/state.js';

/** Rows per statement: each stays far below the statement timeout, and the event loop runs in between. */
const BATCH = 5_000;

/** The block of a protocol's stored positions. */
export interface Checkpoint {
  readonly number: number;
  readonly hash: Hash;
}

/**
 * The search for borrowers has reached block `scannedTo`; -1: it has not begun. It is complete when
 * `scannedTo` is `goal` or more.
 */
export interface History {
  readonly scannedTo: number;
  readonly goal: number;
  /** From this block up to the goal it was searched too. Absent: only up to `scannedTo`. */
  readonly from?: number;
}

/** A position, in a form of its protocol's own. */
export interface StoredPosition {
  readonly account: Address;
  /** Not null. */
  readonly state: Json;
}

export interface KnownPositions {
  /** undefined before the first checkpoint. */
  readonly checkpoint: Checkpoint | undefined;
  /** undefined before the first search. */
  readonly history: History | undefined;
  /** At the block of the checkpoint. */
  readonly positions: readonly StoredPosition[];
  /** Known borrowers whose positions have not been read yet. */
  readonly unread: readonly Address[];
}

/** Of rows from before chains were told apart, where the database knew of no chain (migration 0016). */
const NO_CHAIN = 0;
/** To forget a million rows takes longer than one statement may. */
const FORGET_AT_ONCE = 50_000;

/**
 * The positions at the block of a checkpoint, so that a restart need not read them from the chain again, and
 * how far the history has been searched for borrowers. `protocol` is the name in the configuration: that of a
 * market of this chain. Every method throws as {@link Database.query} does, and writes all or nothing.
 */
@Injectable()
export class CheckpointsRepository {
  constructor(
    private readonly database: Database,
    readonly chainId: number,
  ) {}

  /** Reads everything from one snapshot of the database, even while it is being written to. */
  async load(protocol: string): Promise<KnownPositions> {
    const known = await this.read(protocol);
    if (known.checkpoint ?? known.history) return known;
    return (await this.takeOver(protocol)) ? this.read(protocol) : known;
  }

  private read(protocol: string): Promise<KnownPositions> {
    return this.database.transaction(async (manager) => {
      await manager.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
      const row = await manager.findOneBy(CheckpointRow, { chainId: this.chainId, protocol });
      const positions: StoredPosition[] = [];
      const unread: Address[] = [];
      for await (const rows of pagesOf(manager, this.chainId, protocol)) {
        for (const row of rows) {
          if (row.state === null) unread.push(row.account);
          else positions.push(row);
        }
      }
      return { checkpoint: checkpointOf(row), history: historyOf(row), positions, unread };
    });
  }

  /** Known borrowers keep their state. */
  async saveHistory(protocol: string, borrowers: readonly Address[], history: History): Promise<void> {
    await this.database.query(
      `WITH found AS (
         INSERT INTO positions (chain_id, protocol, account) SELECT $5::bigint, $1, unnest($2::text[])
           ON CONFLICT DO NOTHING
       )
       INSERT INTO checkpoints (chain_id, protocol, history_scanned_to, history_goal, history_from)
         VALUES ($5, $1, $3, $4, $6)
       ON CONFLICT (chain_id, protocol) DO UPDATE SET history_scanned_to = excluded.history_scanned_to,
         history_goal = excluded.history_goal, history_from = excluded.history_from, updated_at = now()`,
      [protocol, borrowers, history.scannedTo, history.goal, this.chainId, history.from ?? null],
    );
  }

  /**
   * Moves the positions to another block. Positions in neither list must be the same at both blocks.
   *
   * @param changed is encoded while it is written, so that nothing is encoded for a database that cannot be
   *   reached.
   * @param own the checkpoint that this process knows to be stored. When another process has stored a later
   *   block than this one, nothing is written: its positions are newer than ours.
   * @throws RetryError also then.
   */
  saveCheckpoint(
    protocol: string,
    { number, hash }: Checkpoint,
    changed: Iterable<StoredPosition>,
    gone: readonly Address[],
    own?: Checkpoint,
  ): Promise<void> {
    return this.database.transaction((manager) =>
      this.move(manager, protocol, { number, hash }, changed, gone, own),
    );
  }

  /**
   * The positions of all accounts at a block, and that no account is missing there, in one transaction.
   *
   * @param gone accounts that may be stored, and have no position at the block.
   * @throws RetryError also when positions of a later block are stored.
   */
  saveWhole(
    protocol: string,
    block: Checkpoint,
    positions: Iterable<StoredPosition>,
    gone: readonly Address[],
  ): Promise<void> {
    return this.database.transaction(async (manager) => {
      await this.move(manager, protocol, block, positions, gone);
      await manager.query(
        `UPDATE checkpoints SET history_scanned_to = $2, history_goal = $2, history_from = NULL WHERE chain_id = $3 AND protocol = $1`,
        [protocol, block.number, this.chainId],
      );
    });
  }

  private async move(
    manager: EntityManager,
    protocol: string,
    { number, hash }: Checkpoint,
    changed: Iterable<StoredPosition>,
    gone: readonly Address[],
    own?: Checkpoint,
  ): Promise<void> {
    for (const states of batchesOf(changed))
      await manager.query(
        `INSERT INTO positions (chain_id, protocol, account, state)
           SELECT $3::bigint, $1, key, value FROM jsonb_each($2::jsonb)
         ON CONFLICT (chain_id, protocol, account) DO UPDATE SET state = excluded.state`,
        [protocol, JSON.stringify(states), this.chainId],
      );
    if (gone.length > 0)
      await manager.query(
        'DELETE FROM positions WHERE chain_id = $3 AND protocol = $1 AND account = ANY ($2::text[])',
        [protocol, gone, this.chainId],
      );
    const moved = await manager.query<unknown[]>(
      `INSERT INTO checkpoints AS c (chain_id, protocol, block_number, block_hash) VALUES ($5, $1, $2, $3)
       ON CONFLICT (chain_id, protocol) DO UPDATE
         SET block_number = excluded.block_number, block_hash = excluded.block_hash, updated_at = now()
         WHERE c.block_number IS NULL OR c.block_hash = $4 OR c.block_number <= excluded.block_number
       RETURNING protocol`,
      [protocol, number, hash, own?.hash ?? null, this.chainId],
    );
    if (moved.length === 0) throw new RetryError('another process has stored the positions of a later block');
  }

  /**
   * Deletes the checkpoint, because its block is no longer on the chain. The borrowers stay, and all of them
   * have to be read again.
   */
  async forgetStates(protocol: string, history: History): Promise<void> {
    await this.database.transaction(async (manager) => {
      for (let forgotten = FORGET_AT_ONCE; forgotten === FORGET_AT_ONCE;) {
        const [{ rows } = { rows: '0' }] = await manager.query<{ rows: string }[]>(
          `WITH batch AS (
             SELECT account FROM positions WHERE chain_id = $3 AND protocol = $1 AND state IS NOT NULL LIMIT $2
           ),
             forgotten AS (
               UPDATE positions SET state = NULL FROM batch
                 WHERE positions.chain_id = $3 AND positions.protocol = $1 AND positions.account = batch.account RETURNING 1
             )
           SELECT count(*) AS rows FROM forgotten`,
          [protocol, FORGET_AT_ONCE, this.chainId],
        );
        forgotten = Number(rows);
      }
      await manager.query(
        `INSERT INTO checkpoints (chain_id, protocol, history_scanned_to, history_goal, history_from)
           VALUES ($4, $1, $2, $3, $5)
         ON CONFLICT (chain_id, protocol) DO UPDATE SET block_number = NULL, block_hash = NULL,
           history_scanned_to = excluded.history_scanned_to, history_goal = excluded.history_goal,
           history_from = excluded.history_from, updated_at = now()`,
        [protocol, history.scannedTo, history.goal, this.chainId, history.from ?? null],
      );
    });
  }

  /**
   * What is stored from before chains were told apart belongs to the first bot with such a market.
   *
   * @returns whether there was any.
   */
  private async takeOver(protocol: string): Promise<boolean> {
    const [found] = await this.database.query(
      `WITH taken AS (
         UPDATE checkpoints SET chain_id = $1 WHERE chain_id = ${NO_CHAIN} AND protocol = $2 RETURNING protocol
       ), moved AS (
         UPDATE positions SET chain_id = $1 FROM taken
           WHERE positions.chain_id = ${NO_CHAIN} AND positions.protocol = taken.protocol
       )
       SELECT count(*) AS rows FROM taken`,
      [this.chainId, protocol],
    );
    return found !== undefined && found['rows'] !== '0';
  }
}

/** Plain rows, because TypeORM takes several times as long to make entities. */
async function* pagesOf(
  manager: EntityManager,
  chainId: number,
  protocol: string,
): AsyncGenerator<readonly { readonly account: Address; readonly state: Json }[]> {
  await manager.query(
    'DECLARE known NO SCROLL CURSOR FOR SELECT account, state FROM positions WHERE chain_id = $1 AND protocol = $2',
    [chainId, protocol],
  );
  for (;;) {
    const rows = await manager.query<{ account: Address; state: Json }[]>(`FETCH ${BATCH} FROM known`);
    yield rows;
    if (rows.length < BATCH) return;
  }
}

/** States by account. PostgreSQL refuses an upsert that names an account twice in one statement. */
function* batchesOf(positions: Iterable<StoredPosition>): Generator<Record<Address, Json>> {
  let batch: [Address, Json][] = [];
  for (const { account, state } of positions) {
    batch.push([account, state]);
    if (batch.length < BATCH) continue;
    yield Object.fromEntries(batch);
    batch = [];
  }
  if (batch.length > 0) yield Object.fromEntries(batch);
}

function checkpointOf(row: CheckpointRow | null): Checkpoint | undefined {
  return row && row.blockNumber !== null && row.blockHash !== null
    ? { number: row.blockNumber, hash: row.blockHash }
    : undefined;
}

function historyOf(row: CheckpointRow | null): History | undefined {
  if (!row || row.historyScannedTo === null || row.historyGoal === null) return undefined;
  const { historyScannedTo: scannedTo, historyGoal: goal, historyFrom: from } = row;
  return { scannedTo, goal, ...(from !== null && { from }) };
}
